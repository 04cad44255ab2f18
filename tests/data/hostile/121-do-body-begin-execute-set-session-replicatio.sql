DO $body$ BEGIN EXECUTE 'SET session_replication_role = replica'; END $body$
