ALTER TABLE products ALTER COLUMN attrs TYPE jsonb USING attrs::jsonb;
