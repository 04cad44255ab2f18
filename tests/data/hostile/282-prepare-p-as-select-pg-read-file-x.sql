PREPARE p AS SELECT pg_read_file('x')
