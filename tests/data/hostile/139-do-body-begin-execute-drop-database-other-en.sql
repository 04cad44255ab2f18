DO $body$ BEGIN EXECUTE 'DROP DATABASE other'; END $body$
