CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $body$ SELECT set_config('session_replication_role', 'replica', true) $body$
