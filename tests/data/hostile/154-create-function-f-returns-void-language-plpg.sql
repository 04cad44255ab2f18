CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $body$ BEGIN ALTER SYSTEM SET work_mem = '1GB'; END $body$
