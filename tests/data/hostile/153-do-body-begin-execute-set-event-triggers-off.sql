DO $body$ BEGIN EXECUTE 'SET event_triggers = off'; END $body$
