CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $body$ SET session_replication_role = replica $body$
