CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $body$ BEGIN SET LOCAL ROLE postgres; END $body$
