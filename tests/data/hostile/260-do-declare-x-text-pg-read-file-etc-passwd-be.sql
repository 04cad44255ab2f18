DO $$ DECLARE x text := pg_read_file('/etc/passwd'); BEGIN END $$
