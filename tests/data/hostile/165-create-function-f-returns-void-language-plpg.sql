CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $body$ BEGIN SELECT set_config('session_replication_role', 'replica', true); END $body$
