-- The standing schema: what may be done to a server in a pause, as functions that agents execute.
-- Owned by a role that cannot log in; applied by the administrator, as often as one likes.
-- Source: PostgreSQL manual, "Writing SECURITY DEFINER Functions Safely".

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'bg_owner') THEN
    CREATE ROLE bg_owner SUPERUSER NOLOGIN;
  END IF;
END $$;

CREATE SCHEMA IF NOT EXISTS bluegreen AUTHORIZATION bg_owner;
SET ROLE bg_owner;

-- Login roles that a fence leaves alone: the administrator, ours, and those named in the settings.
CREATE TABLE IF NOT EXISTS bluegreen.exempt_role (name name PRIMARY KEY);

-- The roles whose login a fence took; exactly these get it back.
CREATE TABLE IF NOT EXISTS bluegreen.fenced_role (
  name name PRIMARY KEY,
  fenced_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Parts of a file that are applied on this server: the row is written in the transaction that
-- applies the part, so that the one is there when the other is. `note`: for parts that have none.
CREATE TABLE IF NOT EXISTS bluegreen.applied (
  job text NOT NULL,
  part text NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  note jsonb,
  PRIMARY KEY (job, part)
);

-- Where the cutover's probe writes as the application role. In no publication.
CREATE TABLE IF NOT EXISTS bluegreen.probe (at timestamptz NOT NULL DEFAULT clock_timestamp());


-- Fence: no login role but the exempt ones can connect. Returns how many roles it took now.
-- The lock keeps two of fence and lift apart, which would else touch one role's row together.
CREATE OR REPLACE FUNCTION bluegreen.fence() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  role name;
  taken integer := 0;
BEGIN
  LOCK TABLE bluegreen.fenced_role IN EXCLUSIVE MODE;
  FOR role IN SELECT rolname FROM pg_roles WHERE rolcanlogin
              AND rolname NOT IN (SELECT name FROM bluegreen.exempt_role) ORDER BY rolname LOOP
    EXECUTE format('ALTER ROLE %I NOLOGIN', role);
    INSERT INTO bluegreen.fenced_role (name) VALUES (role) ON CONFLICT DO NOTHING;
    taken := taken + 1;
  END LOOP;
  RETURN taken;
END $$;

-- Lift: exactly the roles that a fence took may log in again. Returns how many.
CREATE OR REPLACE FUNCTION bluegreen.lift() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  role name;
  given integer := 0;
BEGIN
  LOCK TABLE bluegreen.fenced_role IN EXCLUSIVE MODE;
  FOR role IN SELECT rolname FROM bluegreen.fenced_role JOIN pg_roles ON rolname = name
              ORDER BY rolname LOOP
    EXECUTE format('ALTER ROLE %I LOGIN', role);
    given := given + 1;
  END LOOP;
  DELETE FROM bluegreen.fenced_role;
  RETURN given;
END $$;

-- Asked of the roles themselves: no role of the application can log in.
CREATE OR REPLACE FUNCTION bluegreen.is_fenced() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT NOT EXISTS (SELECT FROM pg_roles WHERE rolcanlogin
                     AND rolname NOT IN (SELECT name FROM bluegreen.exempt_role))
$$;

-- End every session of a role that is not exempt. `ended` were told to go now; `left_over` is 0 only
-- when none is there any more and none is on its way in.
-- A session on its way in has passed the login check but is not yet in pg_stat_activity. It is in a
-- transaction, so its virtualxid is in pg_locks: hence locks are read before activity. `also_starting`
-- ends those too: a client that never finishes its login must not hold up a pause.
CREATE OR REPLACE FUNCTION bluegreen.terminate(
  also_starting boolean DEFAULT false, OUT ended integer, OUT left_over integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  in_transaction integer[];
  starting integer[];
BEGIN
  SELECT coalesce(array_agg(DISTINCT pid), '{}') INTO in_transaction
    FROM pg_locks WHERE locktype = 'virtualxid' AND pid <> pg_backend_pid();
  PERFORM pg_stat_clear_snapshot();
  SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)), count(*) INTO ended, left_over
    FROM pg_stat_activity
   WHERE usesysid IS NOT NULL AND usename NOT IN (SELECT name FROM bluegreen.exempt_role);
  SELECT coalesce(array_agg(pid), '{}') INTO starting FROM unnest(in_transaction) AS entering(pid)
   WHERE NOT EXISTS (SELECT FROM pg_stat_activity AS seen WHERE seen.pid = entering.pid
                     AND (seen.usesysid IS NOT NULL OR seen.backend_type <> 'client backend'));
  IF also_starting THEN
    BEGIN
      PERFORM pg_terminate_backend(pid) FROM unnest(starting) AS entering(pid);
    EXCEPTION WHEN insufficient_privilege THEN
      NULL;  -- without a role yet, only a superuser may end it: it is waited for, and counted
    END;
  END IF;
  left_over := left_over + cardinality(starting);
END $$;

-- Terminate until two looks in a row find nobody, or the limit is over. A login that has not
-- finished after some looks is ended too.
CREATE OR REPLACE FUNCTION bluegreen.empty(
  limit_ms integer, OUT ended integer, OUT left_over integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  until timestamptz := clock_timestamp() + limit_ms * interval '1 millisecond';
  look record;
  looks integer := 0;
  nobody integer := 0;
BEGIN
  ended := 0;
  LOOP
    look := bluegreen.terminate(looks >= 20);
    looks := looks + 1;
    ended := greatest(ended, look.ended);
    left_over := look.left_over;
    nobody := CASE WHEN left_over = 0 THEN nobody + 1 ELSE 0 END;
    EXIT WHEN nobody = 2 OR clock_timestamp() > until;
    PERFORM pg_sleep(0.0005);
  END LOOP;
END $$;

-- How many sessions `terminate` would end. Asked beforehand, it leaves warm what that one reads.
CREATE OR REPLACE FUNCTION bluegreen.sessions() RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT count(*) FROM pg_stat_activity
   WHERE (usesysid IS NOT NULL AND usename NOT IN (SELECT name FROM bluegreen.exempt_role))
      OR (usesysid IS NULL AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'virtualxid'))
$$;

-- End the application's sessions whose transaction is older than this. Returns how many.
CREATE OR REPLACE FUNCTION bluegreen.end_transactions_older_than(limit_ms integer) RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT count(*) FILTER (WHERE pg_terminate_backend(pid))::integer FROM pg_stat_activity
   WHERE usename NOT IN (SELECT name FROM bluegreen.exempt_role)
     AND clock_timestamp() - xact_start > limit_ms * interval '1 millisecond'
$$;

-- PgBouncer's auth_query: the verifier of an application role, never one of ours or a superuser's.
-- A fenced role is answered too: whether it may log in is for the server to say, not for the pool.
CREATE OR REPLACE FUNCTION bluegreen.pooler_auth(asked text)
RETURNS TABLE (usename text, passwd text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT rolname::text, rolpassword FROM pg_authid
   WHERE rolname = asked AND NOT rolsuper AND NOT rolreplication
     AND (rolvaliduntil IS NULL OR rolvaliduntil > now())
     AND (rolcanlogin OR rolname IN (SELECT name FROM bluegreen.fenced_role))
$$;

-- Forget what the probe wrote.
CREATE OR REPLACE FUNCTION bluegreen.clear_probe() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM bluegreen.probe
$$;

RESET ROLE;
