DO $body$ BEGIN EXECUTE 'ALTER SYSTEM SET work_mem = ''1GB'''; END $body$
