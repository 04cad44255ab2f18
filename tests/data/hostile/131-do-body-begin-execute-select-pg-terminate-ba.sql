DO $body$ BEGIN EXECUTE 'SELECT pg_terminate_backend(1)'; END $body$
