DO $$ BEGIN EXECUTE translate('LO4D ''x''', '4', 'A'); END $$
