DO $$ BEGIN EXECUTE concat_ws(' ', 'ALTER', 'SYSTEM', 'SET a = 1'); END $$
