SELECT 1;
-- x
SELECT pg_create_logical_replication_slot('x', 'pgoutput');
SELECT 2
