DO $body$ BEGIN EXECUTE 'ALTER ROLE bg_validator LOGIN'; END $body$
