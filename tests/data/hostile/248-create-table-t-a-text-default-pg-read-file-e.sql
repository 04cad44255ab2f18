CREATE TABLE t (a text DEFAULT pg_read_file('/etc/passwd'))
