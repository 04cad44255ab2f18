DO $body$ BEGIN EXECUTE 'SELECT pg_drop_replication_slot(''x'')'; END $body$
