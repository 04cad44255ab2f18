CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $body$ SELECT pg_logical_emit_message(true, 'bluegreen', 'x') $body$
