DO $body$ BEGIN EXECUTE 'DROP SCHEMA bluegreen CASCADE'; END $body$
