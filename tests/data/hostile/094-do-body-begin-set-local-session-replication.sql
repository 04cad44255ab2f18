DO $body$ BEGIN SET LOCAL session_replication_role TO 'replica'; END $body$
