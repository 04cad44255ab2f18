DO $$ DECLARE q text := 'ALTER TABLE t ADD COLUMN '; BEGIN q := q || 'a int'; EXECUTE q; END $$
