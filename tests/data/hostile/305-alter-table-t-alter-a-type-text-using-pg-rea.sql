ALTER TABLE t ALTER a TYPE text USING pg_read_file(a)
