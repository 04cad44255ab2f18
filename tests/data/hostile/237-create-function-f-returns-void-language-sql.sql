CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $body$ SET event_triggers = off $body$
