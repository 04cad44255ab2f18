ALTER TABLE orders RENAME TO sales; ALTER INDEX orders_customer_idx RENAME TO sales_customer_idx;
