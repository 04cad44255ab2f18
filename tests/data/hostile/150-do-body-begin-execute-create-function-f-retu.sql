DO $body$ BEGIN EXECUTE 'CREATE FUNCTION f() RETURNS int LANGUAGE plpython3u AS ''return 1'''; END $body$
