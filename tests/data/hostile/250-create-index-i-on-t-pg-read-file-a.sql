CREATE INDEX i ON t ((pg_read_file(a)))
