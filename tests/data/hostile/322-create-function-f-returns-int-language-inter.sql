CREATE FUNCTION f() RETURNS int LANGUAGE internal AS 'pg_read_file'
