DO $body$ BEGIN EXECUTE 'SELECT pg_logical_emit_message(true, ''bluegreen'', ''x'')'; END $body$
