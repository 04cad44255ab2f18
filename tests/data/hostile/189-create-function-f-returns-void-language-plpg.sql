CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $body$ BEGIN CREATE TABLE bluegreen.t (a int); END $body$
