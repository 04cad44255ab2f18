SELECT 1;
-- x
SELECT set_config('session_replication_role', 'replica', true);
SELECT 2
