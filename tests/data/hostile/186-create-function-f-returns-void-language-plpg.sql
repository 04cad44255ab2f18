CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $body$ BEGIN UPDATE pg_catalog.pg_class SET relname = 'x'; END $body$
