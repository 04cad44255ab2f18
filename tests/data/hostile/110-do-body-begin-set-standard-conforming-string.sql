DO $body$ BEGIN SET standard_conforming_strings = off; END $body$
