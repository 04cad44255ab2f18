SELECT 1;
-- x
SELECT pg_drop_replication_slot('x');
SELECT 2
