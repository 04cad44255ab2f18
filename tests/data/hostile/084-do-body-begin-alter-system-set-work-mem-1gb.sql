DO $body$ BEGIN ALTER SYSTEM SET work_mem = '1GB'; END $body$
