-- of_active: whether it serves; whether a standby has every commit before it is acknowledged; who died here and was not healed
SELECT pg_is_in_recovery(),
       current_setting('synchronous_commit') IN ('on', 'remote_apply')
       AND EXISTS (SELECT FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')),
       (SELECT dead FROM bluegreen.failover WHERE healed_at IS NULL ORDER BY at DESC LIMIT 1)

-- of_standby: whether it follows, is held, or has taken over; and for how many seconds nothing has arrived
SELECT pg_is_in_recovery(),
       CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() ELSE false END,
       NOT pg_is_in_recovery() AND to_regnamespace('bluegreen_job') IS NULL
       AND NOT bluegreen.is_fenced(),
       (SELECT extract(epoch FROM clock_timestamp() - last_msg_receipt_time)::float8
        FROM pg_stat_wal_receiver WHERE status = 'streaming')

-- ha_manager: who else looks after this server; no row: nobody that we know
SELECT 'Patroni' FROM pg_stat_activity WHERE application_name ILIKE 'patroni%'
UNION ALL
SELECT 'a managed service (' || rolname || ')' FROM pg_roles
WHERE rolname IN ('rds_superuser', 'cloudsqlsuperuser', 'azure_pg_admin', 'alloydbsuperuser',
                  'neon_superuser', 'avnadmin')
UNION ALL
SELECT extname FROM pg_extension WHERE extname IN ('repmgr', 'pgautofailover')
UNION ALL
SELECT 'pg_auto_failover' FROM pg_roles WHERE rolname LIKE 'pgautofailover\_%'
LIMIT 1
