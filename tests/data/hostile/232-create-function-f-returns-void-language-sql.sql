CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $body$ ALTER ROLE bg_validator LOGIN $body$
