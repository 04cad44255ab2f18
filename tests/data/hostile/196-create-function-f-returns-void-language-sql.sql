CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $body$ ALTER SYSTEM SET work_mem = '1GB' $body$
