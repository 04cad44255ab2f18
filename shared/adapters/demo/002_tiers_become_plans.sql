-- The second change, in the other colour direction.
ALTER TABLE customers RENAME COLUMN tier TO plan;
ALTER TABLE purchases DROP COLUMN note;
ALTER TABLE stock ADD COLUMN reserved bigint NOT NULL DEFAULT 0;
