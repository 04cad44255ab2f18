CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $body$ BEGIN SELECT pg_logical_emit_message(true, 'bluegreen', 'x'); END $body$
