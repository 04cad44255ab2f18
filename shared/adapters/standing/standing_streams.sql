-- Streams that a lost connection has stopped. A subscription with `disable_on_error` is disabled by
-- every error of its worker, and one of the connection is an error like any other (seen on 15 to 18:
-- a publisher that is restarted or killed stops its subscribers for good).
SET ROLE bg_owner;

-- Whether a stream of that job is meant to run into this side now. Only what a decided attempt left,
-- or what stands before any attempt: while one is open its own acts start and stop streams.
CREATE OR REPLACE FUNCTION bluegreen.is_meant_to_run(for_job text, its_way text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  last bluegreen.attempt;
BEGIN
  SELECT * INTO last FROM bluegreen.attempt WHERE job = for_job ORDER BY attempt DESC LIMIT 1;
  IF last.attempt IS NULL THEN  -- subscribed at the fork: what has come in is written down
    RETURN its_way = 'forward' AND EXISTS (
      SELECT FROM pg_subscription AS s JOIN pg_replication_origin_status AS o
        ON o.external_id = 'pg_' || s.oid
      WHERE s.subname = bluegreen.stream(its_way) AND o.remote_lsn > '0/0');
  END IF;
  IF last.side = 'new' THEN  -- given up: what led here goes on
    RETURN last.way = its_way AND last.state = 'burnt' AND NOT last.renamed;
  END IF;
  RETURN last.way <> its_way AND last.state = 'committed' AND last.return_begun;
END $$;

-- The code of the newest error of an apply worker in the JSON log's last half megabyte; NULL: none.
-- `unread`: this server writes no such log, or its service keeps it to itself.
CREATE OR REPLACE FUNCTION bluegreen.newest_apply_error() RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  file text := pg_current_logfile('jsonlog');
  tail_bytes CONSTANT bigint := 512 * 1024;
BEGIN
  IF file IS NULL THEN
    RETURN 'unread';
  END IF;
  RETURN (
    SELECT line::jsonb ->> 'state_code'
    FROM string_to_table(convert_from(pg_read_binary_file(
           file, greatest(0, (pg_stat_file(file)).size - tail_bytes), tail_bytes), 'LATIN1'), E'\n')
         WITH ORDINALITY AS read(line, number)
    WHERE line LIKE '{"timestamp":%"error_severity":"ERROR"%"backend_type":"logical replication%"%}'
    ORDER BY number DESC LIMIT 1);
EXCEPTION
  WHEN insufficient_privilege THEN
    RETURN 'unread';
END $$;

-- How often a subscription was started again at the place where it still stands, and after how many
-- errors of its own.
CREATE TABLE IF NOT EXISTS bluegreen.started_again (
  subscription oid PRIMARY KEY,
  place text NOT NULL,
  times integer NOT NULL,
  errors bigint NOT NULL
);

-- How far a subscription came: the last commit that it applied, and the tables that it has copied. It
-- moves with everything that is taken, and never by a row that cannot be.
CREATE OR REPLACE FUNCTION bluegreen.place_of(its_subscription oid) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT format('%s, %s tables',
    (SELECT remote_lsn FROM pg_replication_origin_status
     WHERE external_id = 'pg_' || its_subscription),
    (SELECT count(*) FROM pg_subscription_rel
     WHERE srsubid = its_subscription AND srsubstate = 'r'))
$$;

-- Whether a stopped subscription of this side may be started again, which is then written down: the
-- caller does it in the same transaction. The log says whether only the connection was lost. Where
-- nobody reads it, trying tells: a row that cannot be applied stops the stream at the same place each
-- time, and the attempts leave nothing, since a transaction is applied as a whole or not at all. One
-- that stopped without an error of its own was stopped by a person, and stays so.
CREATE OR REPLACE FUNCTION bluegreen.may_start_again(its_name text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  times_at_one_place CONSTANT integer := 5;
  code text := bluegreen.newest_apply_error();
  its_oid oid;
  runs boolean;
  its_errors bigint;
  found integer;
BEGIN
  IF code IS DISTINCT FROM 'unread' THEN
    RETURN coalesce(code LIKE '08%', false);
  END IF;
  LOCK TABLE bluegreen.started_again IN SHARE ROW EXCLUSIVE MODE;  -- one start is counted once
  SELECT oid, subenabled INTO its_oid, runs FROM pg_subscription WHERE subname = its_name
    AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database());
  IF runs IS DISTINCT FROM false THEN
    RETURN coalesce(runs, false);
  END IF;
  DELETE FROM bluegreen.started_again
    WHERE subscription NOT IN (SELECT oid FROM pg_subscription);  -- of jobs that ended
  SELECT apply_error_count + sync_error_count INTO its_errors
    FROM pg_stat_subscription_stats WHERE subid = its_oid;
  IF its_errors = coalesce(
       (SELECT errors FROM bluegreen.started_again WHERE subscription = its_oid), 0) THEN
    RETURN false;
  END IF;
  INSERT INTO bluegreen.started_again AS known
    VALUES (its_oid, bluegreen.place_of(its_oid), 1, coalesce(its_errors, 0))
    ON CONFLICT (subscription) DO UPDATE SET place = excluded.place, errors = excluded.errors,
      times = CASE WHEN known.place = excluded.place THEN known.times + 1 ELSE 1 END
      WHERE known.place <> excluded.place OR known.times < times_at_one_place
    RETURNING times INTO found;
  RETURN found IS NOT NULL;
END $$;

-- Whether a stream of that job was started again here and has taken nothing since. A marker on the
-- other side moves it on, if it runs: else many connections lost in an hour without writes would look
-- like one row that cannot be applied.
CREATE OR REPLACE FUNCTION bluegreen.is_unproven(for_job text) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT NOT pg_is_in_recovery() AND EXISTS (
    SELECT FROM unnest(ARRAY['forward', 'back']) AS way
    JOIN pg_subscription AS s ON s.subname = bluegreen.stream(way) AND s.subenabled
    JOIN bluegreen.started_again AS a ON a.subscription = s.oid
    WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND a.place = bluegreen.place_of(s.oid) AND bluegreen.is_meant_to_run(for_job, way))
$$;

-- Start this side's streams of a job again where only a connection was lost; a row that cannot be
-- applied stays a person's matter. The state is read again behind the subscription's lock, so that an
-- attempt that begins meanwhile finds it as it was. Returns the streams that were started.
CREATE OR REPLACE FUNCTION bluegreen.mend_streams(for_job text) RETURNS text[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  mended text[] := '{}';
  its_way text;
BEGIN
  IF pg_is_in_recovery() THEN
    RETURN mended;
  END IF;
  FOREACH its_way IN ARRAY ARRAY['forward', 'back'] LOOP
    IF EXISTS (SELECT FROM pg_subscription
               WHERE subname = bluegreen.stream(its_way) AND NOT subenabled
                 AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()))
       AND bluegreen.is_meant_to_run(for_job, its_way)
       AND bluegreen.may_start_again(bluegreen.stream(its_way)) THEN
      PERFORM bluegreen.set_subscription(its_way, true);
      IF NOT bluegreen.is_meant_to_run(for_job, its_way) THEN
        RAISE EXCEPTION 'an attempt of % began meanwhile', for_job USING ERRCODE = 'BG001';
      END IF;
      mended := mended || bluegreen.stream(its_way);
    END IF;
  END LOOP;
  RETURN mended;
END $$;

-- Drop the slot of one of our streams on this side. False while its reader still holds it: told to go.
CREATE OR REPLACE FUNCTION bluegreen.drop_stream_slot(its_way text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  reader integer;
BEGIN
  SELECT active_pid INTO reader FROM pg_replication_slots
   WHERE slot_name = bluegreen.stream(its_way);
  IF NOT FOUND THEN
    RETURN true;
  ELSIF reader IS NOT NULL THEN
    PERFORM pg_terminate_backend(reader);
    RETURN false;
  END IF;
  PERFORM pg_drop_replication_slot(bluegreen.stream(its_way));
  RETURN true;
END $$;

RESET ROLE;
