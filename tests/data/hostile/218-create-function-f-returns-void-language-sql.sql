CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $body$ SELECT pg_create_logical_replication_slot('x', 'pgoutput') $body$
