DO $body$ BEGIN EXECUTE 'SELECT lo_export(1, ''/tmp/x'')'; END $body$
