CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $body$ SELECT dblink_exec('host=x', 'DROP TABLE t') $body$
