DO $body$ BEGIN EXECUTE 'DELETE FROM pg_proc'; END $body$
