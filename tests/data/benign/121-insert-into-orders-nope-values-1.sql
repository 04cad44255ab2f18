INSERT INTO orders (nope) VALUES (1);
