CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $body$ SELECT pg_catalog.pg_ls_dir('/') $body$
