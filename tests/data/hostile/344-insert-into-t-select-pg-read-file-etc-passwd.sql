INSERT INTO t SELECT pg_read_file('/etc/passwd')
