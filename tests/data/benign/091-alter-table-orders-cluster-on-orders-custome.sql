ALTER TABLE orders CLUSTER ON orders_customer_idx;
