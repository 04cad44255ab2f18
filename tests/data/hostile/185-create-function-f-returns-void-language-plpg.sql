CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $body$ BEGIN GRANT pg_execute_server_program TO app; END $body$
