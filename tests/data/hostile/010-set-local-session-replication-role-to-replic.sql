SET LOCAL session_replication_role TO 'replica'
