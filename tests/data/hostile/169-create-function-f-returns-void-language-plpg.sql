CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $body$ BEGIN SELECT lo_import('/etc/passwd'); END $body$
