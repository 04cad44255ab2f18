DO $body$ BEGIN EXECUTE 'SELECT pg_catalog.set_config(''role'', ''postgres'', false)'; END $body$
