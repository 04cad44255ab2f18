CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $body$ SET standard_conforming_strings = off $body$
