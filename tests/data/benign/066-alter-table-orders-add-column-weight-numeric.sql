ALTER TABLE orders ADD COLUMN weight numeric CHECK (weight > 0), ADD COLUMN lane int;
