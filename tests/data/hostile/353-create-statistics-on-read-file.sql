CREATE STATISTICS s ON (pg_read_file(a)), b FROM t
