SELECT currval(pg_read_file('x'))
