SELECT 1;
-- x
LOAD 'auto_explain';
SELECT 2
