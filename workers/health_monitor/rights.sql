-- missing: what our roles lack on this server for a copy through SQL, and the SQL that gives it.
-- A superuser lacks nothing. The parameter is the login with which the other server reads this one.
WITH me AS (
    SELECT o.oid AS owner, o.rolsuper AS owner_is_super, o.rolcreaterole, o.rolreplication,
           r.oid AS replicator, r.rolsuper AS replicator_is_super, r.rolcreatedb,
           r.rolreplication AS replicator_replicates, reader.oid AS reader,
           reader.rolsuper AS reader_is_super, reader.rolreplication AS reader_replicates,
           reader.rolbypassrls, current_setting('server_version_num')::int >= 160000 AS is_new
    FROM pg_roles AS o, pg_roles AS r, pg_roles AS reader
    WHERE o.rolname = 'bg_owner' AND r.rolname = 'bg_replicator' AND reader.rolname = %s
), own AS (
    SELECT DISTINCT c.relowner AS role FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND n.nspname !~ '^pg_'
      AND n.nspname NOT IN ('information_schema', 'bluegreen', 'bluegreen_job')
      AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass
                      AND d.objid = c.oid AND d.deptype = 'e')
    UNION SELECT datdba FROM pg_database WHERE datname = current_database()
), groups AS (
    SELECT name, to_regrole(name) AS role FROM (VALUES
        ('pg_signal_backend'), ('pg_monitor')) AS g (name)
), applying AS (
    SELECT oid AS role FROM pg_roles WHERE rolname = 'bg_apply'
)
SELECT 'bg_owner may not close roles', 'ALTER ROLE bg_owner CREATEROLE'
FROM me WHERE NOT owner_is_super AND NOT rolcreaterole
UNION ALL
SELECT 'bg_owner may not use replication slots', 'ALTER ROLE bg_owner REPLICATION'
FROM me WHERE NOT owner_is_super AND NOT rolreplication
UNION ALL
SELECT 'bg_replicator may not use replication slots', 'ALTER ROLE bg_replicator REPLICATION'
FROM me WHERE NOT replicator_is_super AND NOT replicator_replicates
UNION ALL
SELECT 'bg_replicator may not make the copies of the rehearsal', 'ALTER ROLE bg_replicator CREATEDB'
FROM me WHERE NOT replicator_is_super AND NOT rolcreatedb
UNION ALL
SELECT 'bg_replicator does not act for bg_owner', 'GRANT bg_owner TO bg_replicator'
FROM me WHERE NOT replicator_is_super AND NOT pg_has_role(replicator, owner, 'USAGE')
UNION ALL
SELECT format('bg_owner is not in %%s', name), format('GRANT %%I TO bg_owner', name)
FROM me, groups WHERE NOT owner_is_super AND role IS NOT NULL AND NOT pg_has_role(owner, role, 'USAGE')
UNION ALL
SELECT 'there is no role that owns subscriptions, and bg_owner acts for none',
    CASE WHEN EXISTS (SELECT FROM applying) THEN '' ELSE 'CREATE ROLE bg_apply LOGIN; ' END
        || 'GRANT bg_apply TO bg_owner'
FROM me WHERE NOT owner_is_super AND NOT EXISTS (
    SELECT FROM applying WHERE pg_has_role(owner, role, 'USAGE'))
UNION ALL
SELECT 'bg_apply is not in pg_create_subscription', 'GRANT pg_create_subscription TO bg_apply'
FROM me, applying WHERE NOT owner_is_super AND is_new
  AND NOT pg_has_role(role, to_regrole('pg_create_subscription'), 'USAGE')
UNION ALL
SELECT format('bg_apply may create nothing in database %%I', current_database()),
    format('GRANT CREATE ON DATABASE %%I TO bg_apply', current_database())
FROM me, applying WHERE NOT owner_is_super
  AND NOT has_database_privilege(role, current_database(), 'CREATE')
UNION ALL
SELECT 'PostgreSQL 15 lets only superusers, and a managed service its administrators, make subscriptions',
    'GRANT rds_superuser TO bg_apply (or as that role is called there), or ALTER ROLE bg_owner SUPERUSER'
FROM me WHERE NOT owner_is_super AND NOT is_new AND NOT EXISTS (
    SELECT FROM pg_roles AS service, applying WHERE service.rolname IN ('rds_superuser', 'cloudsqlsuperuser',
        'azure_pg_admin', 'alloydbsuperuser', 'neon_superuser', 'avnadmin')
      AND pg_has_role(applying.role, service.oid, 'MEMBER'))
UNION ALL
SELECT format('bg_owner may create nothing in database %%I', current_database()),
    format('GRANT CREATE ON DATABASE %%I TO bg_owner', current_database())
FROM me WHERE NOT has_database_privilege(owner, current_database(), 'CREATE')
UNION ALL
SELECT format('bg_owner may not call %%s', f), format('GRANT EXECUTE ON FUNCTION %%s TO bg_owner', f)
FROM me, unnest(ARRAY['pg_replication_origin_advance(text, pg_lsn)',
    'pg_replication_origin_progress(text, boolean)', 'pg_show_replication_origin_status()']) AS f
WHERE NOT has_function_privilege(owner, f, 'EXECUTE')
UNION ALL
SELECT 'bg_owner may not see how far a stream has come',
    'GRANT SELECT ON pg_replication_origin_status TO bg_owner'
FROM me WHERE NOT has_table_privilege(owner, 'pg_replication_origin_status', 'SELECT')
UNION ALL
SELECT 'bg_owner may not fill rows without firing triggers',
    'GRANT SET ON PARAMETER session_replication_role TO bg_owner'
FROM me WHERE NOT owner_is_super
  AND NOT has_parameter_privilege(owner, 'session_replication_role', 'SET')
UNION ALL
SELECT format('bg_owner may not close role %%I, which can log in', login.rolname),
    CASE WHEN login.rolsuper THEN format('name %%I in exempt_roles, or take its superuser rights', login.rolname)
         ELSE format('GRANT %%I TO bg_owner WITH ADMIN OPTION', login.rolname) END
FROM me, pg_roles AS login
WHERE NOT owner_is_super AND login.rolcanlogin
  AND login.rolname NOT IN (SELECT name FROM bluegreen.exempt_role)
  AND (login.rolsuper OR is_new AND NOT EXISTS (
       SELECT FROM pg_auth_members WHERE roleid = login.oid AND member = owner AND admin_option))
UNION ALL
SELECT format('%%s does not act for %%I, who owns what is migrated', who.name, own.role::regrole),
    format('GRANT %%s TO %%s', own.role::regrole, who.name)
FROM me, own, LATERAL (
    SELECT 'bg_owner' AS name, owner AS role, owner_is_super AS is_super
    UNION ALL SELECT 'bg_replicator', replicator, replicator_is_super
    UNION ALL SELECT 'bg_apply', role, owner_is_super FROM applying) AS who
WHERE NOT is_super AND NOT pg_has_role(who.role, own.role, 'USAGE')
UNION ALL
SELECT format('%%s may not read for the other server', reader::regrole),
    format('ALTER ROLE %%1$s REPLICATION; GRANT pg_read_all_data TO %%1$s', reader::regrole)
FROM me WHERE NOT reader_is_super AND NOT (reader_replicates
    AND pg_has_role(reader, 'pg_read_all_data', 'USAGE'))
UNION ALL
SELECT format('row security hides rows from %%s', reader::regrole),
    format('ALTER ROLE %%s BYPASSRLS', reader::regrole)
FROM me WHERE NOT reader_is_super AND NOT rolbypassrls
  AND EXISTS (SELECT FROM pg_class WHERE relrowsecurity)

-- target: whether this database can be copied into: is it prepared, what stands in it, may that go.
SELECT to_regprocedure('bluegreen.contents()') IS NOT NULL

-- contents: what stands in a database that is to be copied into, and whether a job left it there.
SELECT ARRAY(SELECT kind || ' ' || name FROM bluegreen.contents()), bluegreen.may_be_emptied(%s)

-- locale: how this database was made.
SELECT concat_ws(' ', pg_encoding_to_char(encoding), datcollate, datctype, datlocprovider,
                 to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale')
FROM pg_database AS d WHERE datname = current_database()

-- event_triggers: of others.
SELECT evtname::text FROM pg_event_trigger WHERE evtname NOT LIKE 'bluegreen\_%%' ORDER BY 1

-- is_superuser: whether what changes this server may do everything.
SELECT rolsuper FROM pg_roles WHERE rolname = 'bg_owner'
