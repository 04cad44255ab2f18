CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $body$ BEGIN SET LOCAL session_replication_role TO 'replica'; END $body$
