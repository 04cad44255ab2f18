SELECT setval(pg_get_serial_sequence('t', 'id'), coalesce(max(id), 1)) FROM t
