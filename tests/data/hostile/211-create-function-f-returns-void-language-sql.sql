CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $body$ SELECT lo_import('/etc/passwd') $body$
