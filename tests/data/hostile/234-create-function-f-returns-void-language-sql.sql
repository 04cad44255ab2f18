CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $body$ CREATE FUNCTION f() RETURNS int LANGUAGE plpython3u AS 'return 1' $body$
