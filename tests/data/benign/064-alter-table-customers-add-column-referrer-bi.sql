ALTER TABLE customers ADD COLUMN referrer bigint REFERENCES customers (id);
