SELECT 1;
-- x
SET LOCAL session_replication_role TO 'replica';
SELECT 2
