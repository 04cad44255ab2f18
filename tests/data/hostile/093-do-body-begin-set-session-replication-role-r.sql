DO $body$ BEGIN SET session_replication_role = replica; END $body$
