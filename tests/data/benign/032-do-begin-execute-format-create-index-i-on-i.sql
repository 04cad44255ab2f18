DO $$ BEGIN EXECUTE format('CREATE INDEX %I ON %I (%I)', 'i', 't', 'a'); END $$
