DO $body$ BEGIN EXECUTE 'SET LOCAL session_replication_role TO ''replica'''; END $body$
