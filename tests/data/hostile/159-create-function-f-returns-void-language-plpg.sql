CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $body$ BEGIN COPY (SELECT 1) TO '/tmp/x'; END $body$
