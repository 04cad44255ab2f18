SELECT 1;
-- x
SELECT pg_logical_emit_message(true, 'bluegreen', 'x');
SELECT 2
