DO $$ BEGIN EXECUTE chr(76) || 'OAD ''x'''; END $$
