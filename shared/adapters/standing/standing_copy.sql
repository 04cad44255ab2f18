-- A database on a server of which only the address is known: green is copied into it, and for that it
-- must be empty. It is emptied only of what Bluegreen itself put or left there.
SET ROLE bg_owner;

-- Written when a job ends and leaves this side behind with its rows, fenced: they are its last state,
-- for a person to look at, and may go when the next job copies into this database.
CREATE TABLE IF NOT EXISTS bluegreen.given_up (
  job text PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Everything here that the server, an extension or Bluegreen did not make, in an order in which it can
-- be dropped: what `kind` and `name` are in DROP. Parts of another thing are not named apart from it.
CREATE OR REPLACE FUNCTION bluegreen.contents() RETURNS TABLE (kind text, name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH space AS (
    SELECT oid, nspname FROM pg_namespace
     WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'bluegreen', 'bluegreen_job')
  ), found (classid, objid, place) AS (
    SELECT 'pg_publication'::regclass, oid, 1 FROM pg_publication
    UNION ALL
    SELECT 'pg_event_trigger'::regclass, oid, 1 FROM pg_event_trigger
     WHERE evtname NOT LIKE 'bluegreen\_%'
    UNION ALL
    SELECT 'pg_namespace'::regclass, oid, 2 FROM space
     WHERE nspname <> 'public' AND oid NOT IN (SELECT extnamespace FROM pg_extension)
    UNION ALL
    SELECT 'pg_class'::regclass, c.oid, CASE relkind WHEN 'S' THEN 4 WHEN 'c' THEN 5 ELSE 3 END
      FROM pg_class AS c JOIN space ON space.oid = relnamespace
     WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
        OR relkind = 'S' AND NOT EXISTS (
             SELECT FROM pg_depend AS owned WHERE owned.classid = 'pg_class'::regclass
                AND owned.objid = c.oid AND owned.deptype IN ('a', 'i') AND owned.refobjsubid > 0)
    UNION ALL
    SELECT 'pg_proc'::regclass, p.oid, 6 FROM pg_proc AS p JOIN space ON space.oid = pronamespace
    UNION ALL
    SELECT 'pg_operator'::regclass, o.oid, 6 FROM pg_operator AS o
      JOIN space ON space.oid = oprnamespace
    UNION ALL
    SELECT 'pg_type'::regclass, t.oid, 7 FROM pg_type AS t JOIN space ON space.oid = typnamespace
     WHERE typtype IN ('b', 'd', 'e', 'r') AND typelem = 0
    UNION ALL
    SELECT 'pg_collation'::regclass, c.oid, 8 FROM pg_collation AS c
      JOIN space ON space.oid = collnamespace
    UNION ALL
    SELECT 'pg_ts_config'::regclass, t.oid, 8 FROM pg_ts_config AS t
      JOIN space ON space.oid = cfgnamespace
    UNION ALL
    SELECT 'pg_ts_dict'::regclass, t.oid, 9 FROM pg_ts_dict AS t
      JOIN space ON space.oid = dictnamespace
    UNION ALL
    SELECT 'pg_foreign_server'::regclass, oid, 9 FROM pg_foreign_server
  )
  SELECT replace(known.type, 'composite type', 'type'), known.identity
    FROM found, LATERAL pg_identify_object(classid, objid, 0) AS known
   WHERE NOT EXISTS (SELECT FROM pg_depend AS member WHERE member.classid = found.classid
                        AND member.objid = found.objid AND member.deptype = 'e')
   ORDER BY place, known.identity
$$;

-- Whether what is in this database may go: a job that ended left it here, or this one put it here.
CREATE OR REPLACE FUNCTION bluegreen.may_be_emptied(for_job text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT bluegreen.is_fenced()
     AND (EXISTS (SELECT FROM bluegreen.given_up)
          OR EXISTS (SELECT FROM bluegreen.applied WHERE job = for_job AND part = 'copy: tables'))
$$;

-- Drop everything that `contents` names and what the job put here. Returns how many things it named.
CREATE OR REPLACE FUNCTION bluegreen.make_empty(for_job text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  commands text[];
  command text;
BEGIN
  IF NOT bluegreen.may_be_emptied(for_job) THEN
    RAISE EXCEPTION 'expected a closed database that a job left behind, found one that is not'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  DROP SCHEMA IF EXISTS bluegreen_job CASCADE;
  SELECT coalesce(array_agg(format('DROP %s IF EXISTS %s CASCADE', kind, name)), '{}')
    INTO commands FROM bluegreen.contents();
  SET LOCAL client_min_messages = warning;
  FOREACH command IN ARRAY commands LOOP
    EXECUTE command;
  END LOOP;
  DELETE FROM bluegreen.given_up;
  DELETE FROM bluegreen.applied WHERE job = for_job;
  RETURN cardinality(commands);
END $$;

RESET ROLE;
