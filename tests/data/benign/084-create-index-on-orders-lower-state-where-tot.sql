CREATE INDEX ON orders (lower(state)) WHERE total > 100;
