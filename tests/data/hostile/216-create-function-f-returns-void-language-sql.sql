CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $body$ SELECT pg_reload_conf() $body$
