-- Everything a blue-green migration has to carry, in one file.
-- bluegreen: down products.price = round(price * 100)
-- bluegreen: down customers.bio = bio #>> '{}'

DROP VIEW order_card;

ALTER TABLE customers DROP COLUMN fax;
ALTER TABLE customers RENAME COLUMN mail TO email;
ALTER TABLE customers ALTER COLUMN bio TYPE jsonb USING to_jsonb(bio);
ALTER TABLE customers ADD COLUMN tier text;
UPDATE customers SET tier = CASE WHEN age > 60 THEN 'senior' WHEN age IS NULL THEN 'unknown' ELSE 'regular' END;
ALTER TABLE customers ALTER COLUMN tier SET NOT NULL;

ALTER TABLE products ALTER COLUMN price TYPE numeric(12,2) USING price / 100.0;

ALTER TABLE orders RENAME TO purchases;
ALTER TABLE purchases ADD CONSTRAINT purchases_customer FOREIGN KEY (customer_id) REFERENCES customers (id);

ALTER TABLE products ALTER COLUMN id TYPE bigint;
ALTER SEQUENCE products_id_seq AS bigint;

DROP TABLE newsletter;

CREATE VIEW order_card AS
    SELECT o.id, o.amount, c.email, p.sku
    FROM purchases o JOIN customers c ON c.id = o.customer_id JOIN products p ON p.id = o.product_id;
