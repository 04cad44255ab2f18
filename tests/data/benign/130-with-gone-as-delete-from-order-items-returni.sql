WITH gone AS (DELETE FROM order_items RETURNING id) SELECT count(*) FROM gone;
