CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $body$ BEGIN SELECT dblink_exec('host=x', 'DROP TABLE t'); END $body$
