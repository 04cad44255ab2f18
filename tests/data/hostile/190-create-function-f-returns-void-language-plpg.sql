CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $body$ BEGIN ALTER ROLE bg_validator LOGIN; END $body$
