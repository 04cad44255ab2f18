SELECT 1;
-- x
SELECT lo_import('/etc/passwd');
SELECT 2
