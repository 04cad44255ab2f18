SELECT 1;
-- x
SELECT pg_reload_conf();
SELECT 2
