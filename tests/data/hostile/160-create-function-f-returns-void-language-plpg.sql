CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $body$ BEGIN SET ROLE postgres; END $body$
