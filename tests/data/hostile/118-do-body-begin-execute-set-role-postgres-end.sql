DO $body$ BEGIN EXECUTE 'SET ROLE postgres'; END $body$
