CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $body$ BEGIN SET standard_conforming_strings = off; END $body$
