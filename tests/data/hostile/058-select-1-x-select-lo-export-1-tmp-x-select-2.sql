SELECT 1;
-- x
SELECT lo_export(1, '/tmp/x');
SELECT 2
