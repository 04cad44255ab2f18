CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $body$ BEGIN CREATE FUNCTION f() RETURNS int LANGUAGE plpython3u AS 'return 1'; END $body$
