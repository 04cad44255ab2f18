DO $$ DECLARE t text := 'role'; BEGIN PERFORM set_config(t, 'x', true); END $$
