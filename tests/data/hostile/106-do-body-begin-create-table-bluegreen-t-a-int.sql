DO $body$ BEGIN CREATE TABLE bluegreen.t (a int); END $body$
