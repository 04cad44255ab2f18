DO $body$ BEGIN EXECUTE 'SET standard_conforming_strings = off'; END $body$
