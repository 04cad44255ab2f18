CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $body$ SELECT pg_terminate_backend(1) $body$
