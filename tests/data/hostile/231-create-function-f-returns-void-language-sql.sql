CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $body$ CREATE TABLE bluegreen.t (a int) $body$
