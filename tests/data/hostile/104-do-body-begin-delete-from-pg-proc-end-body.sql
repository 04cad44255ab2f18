DO $body$ BEGIN DELETE FROM pg_proc; END $body$
