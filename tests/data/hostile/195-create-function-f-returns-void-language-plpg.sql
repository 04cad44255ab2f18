CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $body$ BEGIN SET event_triggers = off; END $body$
