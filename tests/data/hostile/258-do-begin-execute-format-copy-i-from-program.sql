DO $$ BEGIN EXECUTE format('COPY %I FROM PROGRAM %L', 't', 'id'); END $$
