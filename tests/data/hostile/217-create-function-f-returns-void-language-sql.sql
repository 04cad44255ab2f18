CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $body$ SELECT pg_drop_replication_slot('x') $body$
