SELECT 1;
-- x
SELECT pg_read_file('/etc/passwd');
SELECT 2
