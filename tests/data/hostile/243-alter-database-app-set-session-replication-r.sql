ALTER DATABASE app SET session_replication_role = replica
