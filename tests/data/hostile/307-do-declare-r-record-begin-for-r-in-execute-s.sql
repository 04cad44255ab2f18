DO $$ DECLARE r record; BEGIN FOR r IN EXECUTE 'SELECT pg_ls_dir(''/'')' LOOP END LOOP; END $$
