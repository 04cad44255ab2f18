DO $body$ BEGIN SET ROLE postgres; END $body$
