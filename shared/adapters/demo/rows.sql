-- Rows for the shop; the largest table is orders, with demo.rows rows.
INSERT INTO customers (mail, age, fax, bio)
SELECT 'Person' || g || '@Example.org', 18 + g % 70, '0' || g,
       CASE WHEN g % 10 = 0
            THEN (SELECT string_agg(md5(g::text || i), '') FROM generate_series(1, 500) i)
            ELSE 'about person ' || g END
FROM generate_series(1, least(20000, current_setting('demo.rows')::int)) g;

INSERT INTO products (sku, price, description)
SELECT 'SKU-' || g, g % 10000, 'product ' || g FROM generate_series(1, 2000) g;

INSERT INTO stock (product_id, units) SELECT id, 1000 FROM products;

INSERT INTO orders (customer_id, product_id, amount, note)
SELECT 1 + g % least(20000, current_setting('demo.rows')::int), 1 + g % 2000, 1 + g % 5, 'note ' || g
FROM generate_series(1, current_setting('demo.rows')::int) g;

INSERT INTO tickets (customer_id, body)
SELECT 1 + g % least(20000, current_setting('demo.rows')::int), 'ticket ' || g
FROM generate_series(1, 5000) g;

INSERT INTO events (day, what)
SELECT date '2025-07-01' + (g % 365), jsonb_build_object('n', g) FROM generate_series(1, 20000) g;

INSERT INTO newsletter (mail) SELECT 'reader' || g || '@example.org' FROM generate_series(1, 1000) g;
