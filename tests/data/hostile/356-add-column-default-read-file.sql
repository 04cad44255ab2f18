ALTER TABLE t ADD COLUMN x text DEFAULT pg_read_file('/etc/passwd')
