DO $$ BEGIN EXECUTE reverse('''x'' DAOL'); END $$
