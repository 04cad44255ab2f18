DO $body$ BEGIN CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'x', 'y'; END $body$
