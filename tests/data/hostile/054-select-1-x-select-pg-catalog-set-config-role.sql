SELECT 1;
-- x
SELECT pg_catalog.set_config('role', 'postgres', false);
SELECT 2
