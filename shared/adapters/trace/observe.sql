-- relations: what was there: oid, schema, name, kind, whether others are read with it
SELECT c.oid::int8, n.nspname, c.relname, c.relkind::text, c.relkind = 'p' OR c.relhassubclass
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND n.nspname !~ '^pg_(toast_)?temp_' AND c.relkind IN ('r', 'p', 'v', 'm');

-- name_now: quoted, as others know it; nothing when it is gone
SELECT pg_catalog.format('%%I.%%I', n.nspname, c.relname)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = %s;

-- filenodes: where the rows lie now, and how many bytes they are
SELECT c.oid::int8, pg_catalog.pg_relation_filenode(c.oid)::int8, pg_catalog.pg_relation_size(c.oid)
FROM pg_catalog.pg_class c WHERE c.oid = ANY (%s) AND c.relkind IN ('r', 'm');

-- work: scans so far in this transaction, and rows updated and deleted
SELECT relid::int8, seq_scan, n_tup_upd + n_tup_del
FROM pg_catalog.pg_stat_xact_all_tables WHERE relid = ANY (%s);

-- locks: what a session holds or waits for on these relations
SELECT relation::int8, mode FROM pg_catalog.pg_locks
WHERE pid = %s AND locktype = 'relation' AND relation = ANY (%s);

-- held_indexes: tables one of whose indexes a session holds so that no plan can be made
SELECT DISTINCT i.indrelid::int8
FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_index i ON i.indexrelid = l.relation
WHERE l.pid = %s AND l.mode = 'AccessExclusiveLock' AND i.indrelid = ANY (%s);

-- waits_for: the sessions that keep this one waiting
SELECT pg_catalog.unnest(pg_catalog.pg_blocking_pids(%s));

-- index_nodes: where the indexes of each table lie now
SELECT i.indrelid::int8, pg_catalog.array_agg(pg_catalog.pg_relation_filenode(i.indexrelid)::int8 ORDER BY i.indexrelid)
FROM pg_catalog.pg_index i WHERE i.indrelid = ANY (%s) AND pg_catalog.pg_relation_filenode(i.indexrelid) IS NOT NULL
GROUP BY i.indrelid;

-- parents: partition or heir, the table that is read with it, and whether that is partitioned
SELECT h.inhrelid::int8, h.inhparent::int8, c.relkind = 'p'
FROM pg_catalog.pg_inherits h JOIN pg_catalog.pg_class c ON c.oid = h.inhparent
WHERE h.inhrelid = ANY (%s);

-- queued: how many of these sessions wait for a table
SELECT pg_catalog.count(DISTINCT pid)::int FROM pg_catalog.pg_locks
WHERE pid = ANY (%s) AND locktype = 'relation' AND NOT granted;

-- named: tables with their partitions and parents that bear one of these names, or whose index does
WITH RECURSIVE named AS (
    SELECT c.oid FROM pg_catalog.pg_class c WHERE c.oid = ANY (%(oids)s) AND c.relname = ANY (%(words)s)
  UNION
    SELECT i.indrelid FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid = ANY (%(oids)s) AND c.relname = ANY (%(words)s)
), related AS (
    SELECT oid FROM named
  UNION
    SELECT CASE WHEN h.inhrelid = r.oid THEN h.inhparent ELSE h.inhrelid END
    FROM related r JOIN pg_catalog.pg_inherits h ON r.oid IN (h.inhrelid, h.inhparent)
)
SELECT oid::int8 FROM related WHERE oid = ANY (%(oids)s) ORDER BY oid;
