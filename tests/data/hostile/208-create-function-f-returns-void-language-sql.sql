CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $body$ SELECT pg_catalog.set_config('role', 'postgres', false) $body$
