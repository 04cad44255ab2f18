CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $body$ BEGIN SET session_replication_role = replica; END $body$
