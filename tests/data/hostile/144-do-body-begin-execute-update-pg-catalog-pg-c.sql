DO $body$ BEGIN EXECUTE 'UPDATE pg_catalog.pg_class SET relname = ''x'''; END $body$
