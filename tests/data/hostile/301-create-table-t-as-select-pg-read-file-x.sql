CREATE TABLE t AS SELECT pg_read_file('x')
