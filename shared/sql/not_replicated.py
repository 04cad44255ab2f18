"""What an application may do that no stream carries, and by which it is found on its server.

Source: PostgreSQL manual, "CREATE PUBLICATION": with `publish_via_partition_root`, TRUNCATE of a
partition is not replicated; "CREATE TABLE", `UNLOGGED`.
"""

PARTITION_FILES = """
SELECT c.oid::text, format('%%I.%%I', n.nspname, r.relname), c.oid::regclass::text,
       pg_relation_filenode(c.oid)::int8, c.xmin::text
FROM pg_publication AS p JOIN pg_publication_rel AS m ON m.prpubid = p.oid
JOIN pg_class AS r ON r.oid = m.prrelid AND r.relkind = 'p'
JOIN pg_namespace AS n ON n.oid = r.relnamespace
CROSS JOIN LATERAL pg_partition_tree(r.oid) AS t JOIN pg_class AS c ON c.oid = t.relid
WHERE p.pubname = %s AND t.isleaf AND c.relkind = 'r' ORDER BY 2, 3
"""
"""On the source, each partition that is published through its root only: its oid, its root, itself,
the file that holds its rows, which is another one after TRUNCATE, VACUUM FULL and CLUSTER, and the
transaction that gave it that file or changed its definition. Nothing where there are none."""

FILES_OF_TABLES = """
SELECT name, ARRAY(SELECT pg_relation_filenode(oid)::int8
                   FROM (SELECT to_regclass(name) UNION SELECT relid
                         FROM pg_partition_tree(to_regclass(name)) WHERE isleaf) AS t(oid)
                   WHERE pg_relation_filenode(oid) IS NOT NULL)
FROM unnest(%s::text[]) AS name
"""
"""On the target, by the source's names: the files of a table, or of all its partitions."""

OLDEST_RUNNING = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::int8"
"""Whatever an older transaction did is done, and seen by whoever asks afterwards."""

HAS_ROWS_BEFORE = "SELECT bluegreen.has_rows_before(%s, %s)"

UNLOGGED = """
SELECT c.oid::text, c.oid::regclass::text, pg_relation_size(c.oid) > 0
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence = 'u'
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') ORDER BY 2
"""
"""Unlogged tables, as preflight asks for them, and whether they hold rows."""

CHANGED_SINCE = """
SELECT found::oid::regclass::text FROM unnest(%s::oid[], %s::int8[]) AS t(found, file)
WHERE pg_relation_filenode(found) IS DISTINCT FROM file
UNION ALL
SELECT found::oid::regclass::text FROM unnest(%s::oid[]) AS found WHERE pg_relation_size(found) > 0
"""
"""Partitions that have another file, and unlogged tables that hold rows."""
