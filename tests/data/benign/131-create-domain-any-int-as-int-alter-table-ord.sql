CREATE DOMAIN any_int AS int; ALTER TABLE orders ADD COLUMN lanes any_int DEFAULT 1;
