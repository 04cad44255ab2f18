CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $body$ COPY (SELECT 1) TO '/tmp/x' $body$
