ALTER ROLE app SET session_replication_role = replica
