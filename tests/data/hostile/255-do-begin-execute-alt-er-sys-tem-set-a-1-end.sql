DO $$ BEGIN EXECUTE 'ALT' || 'ER SYS' || 'TEM SET a = 1'; END $$
