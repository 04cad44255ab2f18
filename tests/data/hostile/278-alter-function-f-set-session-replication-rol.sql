ALTER FUNCTION f() SET session_replication_role = replica
