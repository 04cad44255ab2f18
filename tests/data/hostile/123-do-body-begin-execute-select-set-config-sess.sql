DO $body$ BEGIN EXECUTE 'SELECT set_config(''session_replication_role'', ''replica'', true)'; END $body$
