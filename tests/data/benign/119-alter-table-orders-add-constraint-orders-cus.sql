ALTER TABLE orders ADD CONSTRAINT orders_customer_idx UNIQUE (id);
