CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $body$ BEGIN SELECT pg_catalog.set_config('role', 'postgres', false); END $body$
