CREATE STATISTICS st ON customer_id, state FROM orders; ANALYZE orders (customer_id); DROP STATISTICS st;
