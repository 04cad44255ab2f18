DO $body$ BEGIN EXECUTE 'CREATE TABLE bluegreen.t (a int)'; END $body$
