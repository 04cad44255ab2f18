DO $$ BEGIN EXECUTE replace('ALXER SYSTEM SET a = 1', 'X', 'T'); END $$
