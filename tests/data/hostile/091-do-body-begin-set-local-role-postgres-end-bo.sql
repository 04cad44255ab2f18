DO $body$ BEGIN SET LOCAL ROLE postgres; END $body$
