CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $body$ DELETE FROM pg_proc $body$
