SELECT 1;
-- x
SELECT pg_catalog.pg_ls_dir('/');
SELECT 2
