"""What an application may do that no stream carries, and by which it is found on its server.

Source: PostgreSQL manual, "CREATE PUBLICATION": with `publish_via_partition_root`, TRUNCATE of a
partition is not replicated; "CREATE TABLE", `UNLOGGED`.
"""

PARTITION_FILES = """
SELECT c.oid::text, pg_partition_root(c.oid)::regclass::text, c.oid::regclass::text,
       pg_relation_filenode(c.oid)::int8
FROM pg_class c WHERE c.relkind = 'r' AND c.relispartition AND c.relpersistence = 'p' ORDER BY 3
"""
"""Each partition that holds rows: its oid, its root, itself, and its file, which is another one
after TRUNCATE, VACUUM FULL and CLUSTER."""

UNLOGGED_ROWS = """
SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence = 'u' AND pg_relation_size(c.oid) > 0
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') ORDER BY 1
"""
"""Unlogged tables that hold rows, as preflight asks for them."""
