CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $body$ SET LOCAL ROLE postgres $body$
