SELECT 1;
-- x
SET session_replication_role = replica;
SELECT 2
