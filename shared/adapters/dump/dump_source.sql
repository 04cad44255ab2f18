-- facts: what the manifest says of the dumped server
SELECT current_setting('server_version'),
       current_setting('server_version_num')::int,
       (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
             ELSE pg_current_wal_lsn() END)::text,
       pg_database_size(d.oid),
       pg_encoding_to_char(d.encoding),
       jsonb_strip_nulls(jsonb_build_object(
           'provider', d.datlocprovider,
           'collate', d.datcollate,
           'ctype', d.datctype,
           'locale', coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale')))
FROM pg_database d
WHERE d.datname = current_database();

-- roles: everyone whom a dump of this database can name; the bootstrap superuser is in no pg_shdepend
SELECT r.rolname
FROM pg_roles r
WHERE r.oid = 10
   OR r.oid IN (SELECT d.refobjid
                FROM pg_shdepend d
                WHERE d.refclassid = 'pg_authid'::regclass
                  AND d.dbid IN (0, (SELECT oid FROM pg_database
                                     WHERE datname = current_database())))
ORDER BY 1;

-- tables: the tables that are named, with their partitions and children, and the sequences they own
WITH RECURSIVE named AS (
    SELECT to_regclass(name)::oid AS oid FROM unnest(%s::text[]) AS name
), family AS (
    SELECT oid FROM named WHERE oid IS NOT NULL
    UNION
    SELECT i.inhrelid FROM pg_inherits i JOIN family f ON i.inhparent = f.oid
)
SELECT DISTINCT format('%%I.%%I', n.nspname, c.relname)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE (c.oid IN (SELECT oid FROM family) AND c.relkind IN ('r', 'p'))
   OR (c.relkind = 'S' AND c.oid IN (SELECT d.objid FROM pg_depend d
                                     WHERE d.classid = 'pg_class'::regclass
                                       AND d.deptype IN ('a', 'i')
                                       AND d.refobjid IN (SELECT oid FROM family)))
ORDER BY 1;

-- bytes: size of the rows of the tables that are named, TOAST included, as of the last VACUUM or
-- ANALYZE; pg_table_size would queue for a lock on each.
SELECT coalesce(sum((c.relpages + coalesce(t.relpages, 0))::bigint
                    * current_setting('block_size')::bigint), 0)::bigint
FROM pg_class c
LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
WHERE c.oid IN (SELECT to_regclass(name) FROM unnest(%s::text[]) AS name);

-- guarded: tables whose row security would hide rows from this role
SELECT c.oid::regclass::text
FROM pg_class c
WHERE c.relrowsecurity
  AND NOT (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user)
  AND (%s::text[] IS NULL OR c.oid IN (SELECT to_regclass(name) FROM unnest(%s::text[]) AS name))
ORDER BY 1;

-- large_objects: how many there are, seen by anyone
SELECT count(*) FROM pg_largeobject_metadata;
