-- When the side that serves is dead: the other one serves without having asked it, and the dead one is
-- closed once it answers. docs/cutover.md, "When the side that serves is dead".
SET ROLE bg_owner;

-- The other side is dead and will not be asked: this one serves from now on, with the names of a way.
-- What the dead side had committed and not sent is missing here. Sequences are moved past every value
-- that is stored, and `headroom` further, since the other side's are not known.
CREATE OR REPLACE FUNCTION bluegreen.take_over(
  number bigint, for_job text, its_way text, headroom bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET deadlock_timeout = '10ms' AS $$
DECLARE
  last bluegreen.attempt;
BEGIN
  SELECT * INTO last FROM bluegreen.attempt ORDER BY attempt DESC LIMIT 1;
  PERFORM bluegreen.open_attempt(number, for_job, its_way, 'new', false);
  PERFORM bluegreen.set_subscription(its_way, false);
  IF NOT bluegreen.wears(last, its_way) THEN
    PERFORM bluegreen.rename(number, its_way, true);
  END IF;
  PERFORM bluegreen.pass_stored_values(headroom);
  UPDATE bluegreen.attempt SET state = 'committed', taken_over = true, renamed = true,
         apart_lsn = pg_current_wal_insert_lsn(), decided_at = clock_timestamp()
   WHERE attempt = number;
  PERFORM bluegreen.lift();
END $$;

-- Whether a side whose newest attempt is this one wears the names of that way already.
CREATE OR REPLACE FUNCTION bluegreen.wears(last bluegreen.attempt, its_way text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE WHEN last.attempt IS NULL OR NOT last.renamed THEN
                CASE WHEN last.attempt IS NULL THEN its_way = 'back' ELSE last.way <> its_way END
              ELSE last.way = its_way END
$$;

-- The old side of a cutover that it never heard of, since it was dead: closed before anybody is let
-- in again. It keeps its names and rows, to be compared and thrown away.
CREATE OR REPLACE FUNCTION bluegreen.yield_to(number bigint, for_job text, its_way text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM bluegreen.attempt WHERE attempt >= number) THEN
    PERFORM bluegreen.open_attempt(number, for_job, its_way, 'old', false);
    UPDATE bluegreen.attempt SET state = 'committed', decided_at = clock_timestamp()
     WHERE attempt = number;
  END IF;
  PERFORM bluegreen.set_subscription(bluegreen.opposite(its_way), false);
  PERFORM bluegreen.fence();
END $$;

-- How far this side has applied what the other one sent, by the other one's LSN; null without it.
CREATE OR REPLACE FUNCTION bluegreen.applied_up_to(its_way text, OUT applied pg_lsn, OUT heard_of pg_lsn)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT pg_replication_origin_progress('pg_' || s.oid, false),
         greatest(max(w.latest_end_lsn), max(w.received_lsn))
    FROM pg_subscription AS s LEFT JOIN pg_stat_subscription AS w ON w.subid = s.oid
   WHERE s.subname = bluegreen.stream(its_way)
     AND s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
   GROUP BY s.oid
$$;

RESET ROLE;
