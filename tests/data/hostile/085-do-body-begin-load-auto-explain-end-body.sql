DO $body$ BEGIN LOAD 'auto_explain'; END $body$
