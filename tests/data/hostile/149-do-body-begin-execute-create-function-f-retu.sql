DO $body$ BEGIN EXECUTE 'CREATE FUNCTION f() RETURNS int LANGUAGE c AS ''x'', ''y'''; END $body$
