CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $body$ BEGIN SELECT pg_create_logical_replication_slot('x', 'pgoutput'); END $body$
