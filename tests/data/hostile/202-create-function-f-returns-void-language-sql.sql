CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $body$ SET ROLE postgres $body$
