SELECT 1; -- LOAD
LOAD
'auto_explain'
