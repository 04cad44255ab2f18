DO $$ DECLARE t text; BEGIN FOR t IN SELECT unnest(ARRAY['orders', 'customers']) LOOP EXECUTE format('ALTER TABLE %I ADD COLUMN audit text', t); END LOOP; END $$;
