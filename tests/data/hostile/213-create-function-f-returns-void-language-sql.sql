CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $body$ SELECT * FROM dblink('host=x', 'SELECT 1') AS t (a int) $body$
