-- counters: transactions of this database since its statistics were reset.
SELECT xact_commit, xact_rollback, stats_reset FROM pg_stat_database
WHERE datname = current_database()

-- errors: error classes that sessions of others met since then.
SELECT state_code, sum(occurrences)::bigint, min(message) FROM bluegreen.errors_since(%s)
WHERE user_name <> ALL (%s) GROUP BY state_code

-- slot: how far the other side is behind this one, in bytes; no row without such a stream.
SELECT active, pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::bigint,
    wal_status IS NOT DISTINCT FROM 'lost'
FROM pg_replication_slots WHERE slot_name = %s

-- kept: WAL that slots of ours keep on this server, in bytes.
SELECT coalesce(max(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)), 0)::bigint
FROM pg_replication_slots WHERE slot_name LIKE 'bluegreen~_%' ESCAPE '~' AND wal_status <> 'lost'

-- subscription: whether the other side still applies, and how often that failed.
SELECT s.subenabled, coalesce(e.apply_error_count, 0)
FROM pg_subscription s LEFT JOIN pg_stat_subscription_stats e ON e.subid = s.oid
WHERE s.subname = %s

-- lost: values that a rollback would lose.
SELECT bluegreen.lost_values()
