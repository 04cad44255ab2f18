INSERT INTO products (sku, title) VALUES ('a', 'b') ON CONFLICT DO NOTHING;
