SELECT 1;
-- x
SELECT query_to_xml('SELECT pg_read_file(''/etc/passwd'')', true, true, '');
SELECT 2
