CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $body$ SELECT lo_export(1, '/tmp/x') $body$
