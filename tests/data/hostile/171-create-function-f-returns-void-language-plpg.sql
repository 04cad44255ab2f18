CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $body$ BEGIN SELECT * FROM dblink('host=x', 'SELECT 1') AS t (a int); END $body$
