MERGE INTO orders o USING customers c ON o.customer_id = c.id AND c.id = 3 WHEN MATCHED THEN UPDATE SET state = 'm';
