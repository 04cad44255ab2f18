CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $body$ BEGIN SELECT pg_catalog.pg_ls_dir('/'); END $body$
