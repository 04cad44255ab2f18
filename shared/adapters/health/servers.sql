-- state: what the server does, who can write, and how full it is
SELECT pg_is_in_recovery(),
       CASE WHEN to_regproc('bluegreen.is_fenced') IS NULL THEN false ELSE bluegreen.is_fenced() END,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
       (SELECT count(*) FROM pg_stat_replication),
       current_setting('max_wal_senders')::int,
       (SELECT count(*) FROM pg_replication_slots),
       current_setting('max_replication_slots')::int

-- replicas: how far each reader of the WAL is behind, in bytes and seconds
SELECT application_name, state,
       pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint,
       coalesce(extract(epoch FROM replay_lag), 0)::float8
FROM pg_stat_replication

-- retained: WAL that each slot keeps, and whether it is still whole; one that lost it keeps no LSN
SELECT slot_name, active,
       coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::bigint, wal_status
FROM pg_replication_slots WHERE restart_lsn IS NOT NULL OR wal_status = 'lost'
