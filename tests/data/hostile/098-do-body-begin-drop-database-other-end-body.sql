DO $body$ BEGIN DROP DATABASE other; END $body$
