CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $body$ SET LOCAL session_replication_role TO 'replica' $body$
