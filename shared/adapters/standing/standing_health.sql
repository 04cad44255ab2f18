-- What the health-monitor may ask of a server beyond pg_monitor: counts and classes, no contents.
SET ROLE bg_owner;

-- Errors that sessions met since then, by class, from the last megabyte of the JSON log. Empty where
-- the server writes no JSON log.
CREATE OR REPLACE FUNCTION bluegreen.errors_since(since timestamptz)
RETURNS TABLE (state_code text, user_name text, message text, occurrences bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  file text := pg_current_logfile('jsonlog');
  tail_bytes CONSTANT bigint := 1024 * 1024;
  size bigint;
  body bytea;
BEGIN
  IF file IS NULL OR (pg_stat_file(file, true)).size IS NULL THEN
    RETURN;
  END IF;
  size := (pg_stat_file(file)).size;
  body := pg_read_binary_file(file, greatest(0, size - tail_bytes), tail_bytes, true);
  IF size <= tail_bytes THEN
    body := '\x0a'::bytea || body;  -- else what stands before the first line feed is a cut line
  END IF;
  RETURN QUERY
    WITH line AS (
      SELECT entry::jsonb AS entry
      FROM regexp_split_to_table(
             convert_from(substr(body, position('\x0a'::bytea IN body) + 1), 'UTF8'), E'\n') AS entry
      WHERE entry LIKE '{"timestamp":%}'
    )
    SELECT entry ->> 'state_code', entry ->> 'user', min(left(entry ->> 'message', 200)), count(*)
    FROM line
    WHERE entry ->> 'error_severity' IN ('ERROR', 'FATAL', 'PANIC')
      AND (entry ->> 'timestamp')::timestamptz > since
      AND entry ->> 'dbname' = current_database()
    GROUP BY 1, 2;
EXCEPTION
  WHEN character_not_in_repertoire OR invalid_text_representation THEN
    RETURN;  -- another encoding in the same log, or a last line of which half is written
  WHEN insufficient_privilege THEN
    RETURN;  -- a managed server, whose log only its service reads
END $$;

-- Errors that were logged behind that byte of that file, by class, and where to read on. Without a file
-- nothing is read: the answer is the end of the log. At most a megabyte a call; a rotated log is read
-- to its end first. Read as LATIN1, in which a character is a byte: a line may end inside one of UTF8.
CREATE OR REPLACE FUNCTION bluegreen.errors_after(
  INOUT file text, INOUT at_byte bigint, OUT classes jsonb)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  newest text := pg_current_logfile('jsonlog');
  most_bytes CONSTANT bigint := 1024 * 1024;
  size bigint;
  body text;
  whole bigint;
BEGIN
  classes := '[]';
  IF newest IS NULL OR file IS NULL OR file NOT LIKE current_setting('log_directory') || '/%' THEN
    file := newest;
    at_byte := (pg_stat_file(newest, true)).size;
    RETURN;
  END IF;
  size := (pg_stat_file(file, true)).size;
  IF size IS NULL OR size < at_byte OR (file <> newest AND size = at_byte) THEN
    file := newest;
    at_byte := 0;
  END IF;
  body := convert_from(pg_read_binary_file(file, at_byte, most_bytes, true), 'LATIN1');
  whole := length(body) - position(E'\n' IN reverse(body)) + 1;
  IF body IS NULL OR position(E'\n' IN body) = 0 THEN
    RETURN;
  END IF;
  at_byte := at_byte + whole;
  SELECT coalesce(jsonb_agg(class), '[]') INTO classes FROM (
    SELECT coalesce(entry ->> 'state_code', '') AS code, entry ->> 'error_severity' AS severity,
           coalesce(min(entry ->> 'user'), '') AS user,
           min(left(entry ->> 'message', 200)) AS message, count(*) AS occurrences
    FROM (SELECT line::jsonb AS entry
          FROM string_to_table(left(body, whole::integer), E'\n') AS line
          WHERE line LIKE '{"timestamp":%"error_severity":"_____"%}') AS lines
    WHERE entry ->> 'error_severity' IN ('ERROR', 'FATAL', 'PANIC')
      AND coalesce(entry ->> 'dbname', current_database()) = current_database()
    GROUP BY 1, 2, entry ->> 'user') AS class;
END $$;

-- Values that a rollback would lose: 0 without a job.
CREATE OR REPLACE FUNCTION bluegreen.lost_values() RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found bigint := 0;
BEGIN
  IF to_regclass('bluegreen_job.lost') IS NOT NULL THEN
    EXECUTE 'SELECT count(*) FROM bluegreen_job.lost' INTO found;
  END IF;
  RETURN found;
END $$;

RESET ROLE;
