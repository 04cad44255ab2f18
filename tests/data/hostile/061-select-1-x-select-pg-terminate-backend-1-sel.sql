SELECT 1;
-- x
SELECT pg_terminate_backend(1);
SELECT 2
