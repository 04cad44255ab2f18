SELECT ts_stat('SELECT pg_read_file(''x'')')
