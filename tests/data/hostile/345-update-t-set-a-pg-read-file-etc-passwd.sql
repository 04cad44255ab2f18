UPDATE t SET a = pg_read_file('/etc/passwd')
