CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $body$ BEGIN SELECT lo_export(1, '/tmp/x'); END $body$
