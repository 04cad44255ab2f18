-- What jobs left on this server in the standing schema, and its end.

SET ROLE bg_owner;

-- Forget parts, attempts and healed failovers that are so many days old, two at least. The newest attempt
-- stays, which makes all older ones worthless, and so does what the newest job applied. Returns how
-- many rows went. Called only while no job is live.
CREATE OR REPLACE FUNCTION bluegreen.forget_old(days double precision) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH since AS (
    SELECT clock_timestamp() - make_interval(secs => 86400 * greatest(days, 2)) AS since),
  parts AS (
    DELETE FROM bluegreen.applied USING since
     WHERE at < since AND job <> (SELECT job FROM bluegreen.applied ORDER BY at DESC LIMIT 1)
    RETURNING 1),
  attempts AS (
    DELETE FROM bluegreen.attempt USING since
     WHERE opened_at < since AND attempt < (SELECT max(attempt) FROM bluegreen.attempt)
    RETURNING 1),
  failovers AS (DELETE FROM bluegreen.failover USING since WHERE healed_at < since RETURNING 1)
  SELECT (SELECT count(*) FROM parts) + (SELECT count(*) FROM attempts)
       + (SELECT count(*) FROM failovers)
$$;

RESET ROLE;
