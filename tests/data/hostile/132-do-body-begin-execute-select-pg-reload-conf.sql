DO $body$ BEGIN EXECUTE 'SELECT pg_reload_conf()'; END $body$
