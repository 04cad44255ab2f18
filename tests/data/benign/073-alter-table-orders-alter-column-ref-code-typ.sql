ALTER TABLE orders ALTER COLUMN ref_code TYPE text;
