MERGE INTO t USING (SELECT pg_read_file('x') AS f) s ON true WHEN MATCHED THEN UPDATE SET a = s.f
