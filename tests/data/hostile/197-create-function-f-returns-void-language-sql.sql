CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $body$ LOAD 'auto_explain' $body$
