DROP INDEX CONCURRENTLY orders_customer_idx, products_title_idx;
