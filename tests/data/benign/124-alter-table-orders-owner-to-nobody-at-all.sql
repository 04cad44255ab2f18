ALTER TABLE orders OWNER TO nobody_at_all;
