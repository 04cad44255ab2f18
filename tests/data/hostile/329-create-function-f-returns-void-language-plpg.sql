CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $a$ BEGIN EXECUTE $b$ DO $c$ BEGIN PERFORM pg_reload_conf(); END $c$ $b$; END $a$
