DO $body$ BEGIN EXECUTE 'SELECT * FROM dblink(''host=x'', ''SELECT 1'') AS t (a int)'; END $body$
