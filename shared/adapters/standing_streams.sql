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

-- The class of the newest error of an apply worker in the JSON log's last half megabyte; NULL: none, or
-- a log that may not be read here.
CREATE OR REPLACE FUNCTION bluegreen.newest_apply_error() RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  file text := pg_current_logfile('jsonlog');
  tail_bytes CONSTANT bigint := 512 * 1024;
BEGIN
  IF file IS NULL THEN
    RETURN NULL;
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
    RETURN NULL;
END $$;

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
       AND bluegreen.newest_apply_error() LIKE '08%' THEN
      PERFORM bluegreen.set_subscription(its_way, true);
      IF NOT bluegreen.is_meant_to_run(for_job, its_way) THEN
        RAISE EXCEPTION 'an attempt of % began meanwhile', for_job USING ERRCODE = 'BG001';
      END IF;
      mended := mended || bluegreen.stream(its_way);
    END IF;
  END LOOP;
  RETURN mended;
END $$;

RESET ROLE;
