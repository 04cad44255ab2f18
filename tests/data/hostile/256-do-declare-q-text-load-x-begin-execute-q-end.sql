DO $$ DECLARE q text := 'LOAD ''x'''; BEGIN EXECUTE q; END $$
