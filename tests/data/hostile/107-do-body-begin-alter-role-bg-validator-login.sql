DO $body$ BEGIN ALTER ROLE bg_validator LOGIN; END $body$
