-- identity: who this server is and what it does today.
SELECT current_setting('server_version_num')::int,
       (SELECT system_identifier::text FROM pg_control_system()),
       pg_is_in_recovery(),
       pg_database_size(current_database()),
       (SELECT count(*) FROM pg_prepared_xacts)

-- settings: settings that replication and the fork depend on.
SELECT name, setting FROM pg_settings
WHERE name IN ('wal_level', 'max_replication_slots', 'max_wal_senders', 'wal_log_hints',
               'data_checksums', 'synchronous_standby_names', 'archive_mode',
               'max_logical_replication_workers', 'max_sync_workers_per_subscription',
               'max_worker_processes', 'port',
               'shared_preload_libraries', 'log_destination', 'max_slot_wal_keep_size',
               'maintenance_work_mem')

-- slots: replication slots.
SELECT slot_name, slot_type, active, wal_status IS NOT DISTINCT FROM 'lost'
FROM pg_replication_slots

-- replicas: who reads this server's WAL.
SELECT application_name, state, sync_state, client_addr::text, client_port
FROM pg_stat_replication

-- databases: databases that a fork would carry along.
SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY 1

-- long_transactions: transactions of others that are older than that many seconds.
SELECT pid, coalesce(usename, ''), extract(epoch FROM clock_timestamp() - xact_start)::float8
FROM pg_stat_activity
WHERE backend_type = 'client backend' AND usename <> ALL (%s)
  AND clock_timestamp() - xact_start > %s * interval '1 second'
ORDER BY xact_start

-- clients: sessions of others over TCP. A Unix socket is how the direct door arrives.
SELECT usename, host(client_addr), client_port, application_name FROM pg_stat_activity
WHERE backend_type = 'client backend' AND client_addr IS NOT NULL
  AND datname = current_database() AND usename <> ALL (%s)

-- session_state: what sessions of others keep between two transactions. Idle, and yet it holds an
-- advisory lock: one of the session. LISTEN leaves no other trace than the last statement. A
-- temporary table stands in a schema that is numbered as its session is; before 16 that number
-- leads to no process, so there each idle session of the table's owner is taken for it.
SELECT DISTINCT a.usename, host(a.client_addr), a.client_port,
       CASE WHEN l.pid IS NOT NULL THEN 'a session lock' ELSE 'LISTEN' END
FROM pg_stat_activity a
LEFT JOIN pg_locks l ON l.pid = a.pid AND l.locktype = 'advisory' AND l.granted
WHERE a.backend_type = 'client backend' AND a.client_addr IS NOT NULL AND a.state = 'idle'
  AND a.datname = current_database() AND a.usename <> ALL (%s)
  AND (l.pid IS NOT NULL OR a.query ~* '^\s*LISTEN\M')
UNION
SELECT a.usename, host(a.client_addr), a.client_port, 'a temporary table'
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_stat_activity a ON CASE
    WHEN current_setting('server_version_num')::int >= 160000
    THEN a.pid = pg_stat_get_backend_pid(substr(n.nspname, 9)::int) ELSE a.usesysid = c.relowner END
WHERE c.relpersistence = 't' AND c.relkind IN ('r', 'p') AND n.nspname ~ '^pg_temp_[0-9]+$'
  AND a.backend_type = 'client backend' AND a.client_addr IS NOT NULL AND a.state = 'idle'
  AND a.datname = current_database() AND a.usename <> ALL (%s)

-- sees_us_at: whence this session comes, in the server's eyes.
SELECT coalesce(host(inet_client_addr()), '')

-- touched: bytes of these tables, partitions and all. By the catalog: to_regclass fails on a schema
-- that this role may not use.
SELECT coalesce(sum(coalesce(
    (SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree(t.oid)),
    pg_total_relation_size(t.oid))), 0)::bigint
FROM (SELECT DISTINCT c.oid
      FROM unnest(%s::text[]) AS name CROSS JOIN parse_ident(name) AS part
      JOIN pg_class c ON c.relname = part[cardinality(part)]
      JOIN pg_namespace n ON n.oid = c.relnamespace
          AND n.nspname = coalesce(part[cardinality(part) - 1], 'public')) AS t

-- background: kinds of processes that neither PostgreSQL nor replication started.
SELECT DISTINCT backend_type FROM pg_stat_activity
WHERE backend_type NOT IN ('client backend', 'autovacuum launcher', 'autovacuum worker', 'walsender',
    'logical replication launcher', 'logical replication worker', 'logical replication apply worker',
    'logical replication tablesync worker', 'logical replication parallel worker',
    'parallel worker', 'background writer', 'checkpointer', 'startup', 'walreceiver', 'walwriter',
    'archiver', 'walsummarizer', 'slotsync worker', 'io worker', 'autoprewarm leader',
    'autoprewarm worker', 'datachecksum launcher', 'datachecksum worker', 'standalone backend')
ORDER BY 1

-- extensions: what is installed in the migrated database.
SELECT extname FROM pg_extension ORDER BY 1

-- contents: what the migrated database holds that replication carries badly or not at all.
WITH own AS (
    SELECT c.oid, c.relname, c.relkind, c.relpersistence, c.relreplident, n.nspname,
           format('%%I.%%I', n.nspname, c.relname) AS label
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', %s, %s)
      AND n.nspname NOT LIKE 'pg\_%%'
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
)
SELECT
    ARRAY(SELECT label FROM own
          WHERE relkind IN ('r', 'p') AND relpersistence = 'p'
            AND (relreplident = 'n'
                 OR relreplident = 'd' AND NOT EXISTS (
                     SELECT FROM pg_index i WHERE i.indrelid = own.oid AND i.indisprimary
                         AND i.indimmediate)  -- a deferrable key is none to replication
                 OR relreplident = 'i' AND NOT EXISTS (
                     SELECT FROM pg_index i WHERE i.indrelid = own.oid AND i.indisreplident))
          ORDER BY 1),
    ARRAY(SELECT label FROM own
          WHERE relkind = 'r' AND relpersistence = 'u' AND pg_relation_size(oid) > 0 ORDER BY 1),
    (SELECT count(*) FROM pg_largeobject_metadata),
    ARRAY(SELECT format('%%s.%%I', own.label, t.tgname) FROM own JOIN pg_trigger t ON t.tgrelid = own.oid
          WHERE NOT t.tgisinternal AND t.tgenabled IN ('R', 'A') AND left(t.tgname, 11) <> '~bluegreen_'
          ORDER BY 1),
    ARRAY(SELECT evtname::text FROM pg_event_trigger e JOIN pg_proc p ON p.oid = e.evtfoid
          WHERE evtenabled <> 'D' AND evtname NOT LIKE 'bluegreen\_%%'
            AND p.prosrc ~* '\m(insert\s+into|merge\s+into|delete\s+from|update\s+\S+(\s+(as\s+)?\S+)?\s+set)\M'
          ORDER BY 1),
    ARRAY(SELECT subname::text FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
          WHERE d.datname = current_database() AND subname NOT LIKE 'bluegreen\_%%' ORDER BY 1),
    ARRAY(SELECT pubname::text FROM pg_publication WHERE pubname NOT LIKE 'bluegreen\_%%' ORDER BY 1)

-- superusers: login roles with superuser rights besides these.
SELECT rolname FROM pg_roles WHERE rolcanlogin AND rolsuper AND rolname <> ALL (%s) ORDER BY 1
