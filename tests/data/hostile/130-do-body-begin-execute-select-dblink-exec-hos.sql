DO $body$ BEGIN EXECUTE 'SELECT dblink_exec(''host=x'', ''DROP TABLE t'')'; END $body$
