CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $body$ UPDATE pg_catalog.pg_class SET relname = 'x' $body$
