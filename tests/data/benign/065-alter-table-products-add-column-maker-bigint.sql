ALTER TABLE products ADD COLUMN maker bigint, ADD CONSTRAINT products_maker_fk FOREIGN KEY (maker) REFERENCES customers (id);
