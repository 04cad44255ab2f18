DO $body$ BEGIN EXECUTE 'SELECT pg_catalog.pg_ls_dir(''/'')'; END $body$
