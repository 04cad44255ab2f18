ALTER ROLE ALL SET session_replication_role = replica
