DO $body$ BEGIN DROP SCHEMA bluegreen CASCADE; END $body$
