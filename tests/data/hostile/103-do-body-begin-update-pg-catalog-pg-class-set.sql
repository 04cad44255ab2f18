DO $body$ BEGIN UPDATE pg_catalog.pg_class SET relname = 'x'; END $body$
