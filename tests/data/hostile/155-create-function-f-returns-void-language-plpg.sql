CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $body$ BEGIN LOAD 'auto_explain'; END $body$
