CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $body$ BEGIN SELECT query_to_xml('SELECT pg_read_file(''/etc/passwd'')', true, true, ''); END $body$
