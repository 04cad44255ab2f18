DO $body$ BEGIN EXECUTE 'SET LOCAL ROLE postgres'; END $body$
