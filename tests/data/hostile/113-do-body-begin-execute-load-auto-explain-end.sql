DO $body$ BEGIN EXECUTE 'LOAD ''auto_explain'''; END $body$
