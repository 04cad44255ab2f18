DO $body$ BEGIN SET event_triggers = off; END $body$
