ALTER TABLE payments ALTER COLUMN raw TYPE jsonb;
