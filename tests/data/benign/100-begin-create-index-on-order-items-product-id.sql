BEGIN; CREATE INDEX ON order_items (product_id); UPDATE products SET stock = 0; COMMIT;
