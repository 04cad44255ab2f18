SET lock_timeout = '1s'; ALTER TABLE orders ADD COLUMN IF NOT EXISTS gift boolean NOT NULL DEFAULT false; COMMENT ON COLUMN orders.gift IS 'wrapped';
