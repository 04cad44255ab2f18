CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $body$ SELECT pg_read_file('/etc/passwd') $body$
