DO $body$ BEGIN CREATE DATABASE other; END $body$
