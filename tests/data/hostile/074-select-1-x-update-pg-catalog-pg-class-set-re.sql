SELECT 1;
-- x
UPDATE pg_catalog.pg_class SET relname = 'x';
SELECT 2
