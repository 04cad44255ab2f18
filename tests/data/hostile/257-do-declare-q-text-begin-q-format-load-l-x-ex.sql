DO $$ DECLARE q text; BEGIN q := format('LOAD %L', 'x'); EXECUTE q; END $$
