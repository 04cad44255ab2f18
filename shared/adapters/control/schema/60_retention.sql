-- What a job leaves behind, and for how long. The row of `job` stays for good: it is what makes a file
-- run once. So does the audit, whose chain has no end. What stays of a job beside its row are the facts
-- that prove something (`proofs`); the rest is its details, which go some time after it ended.
ALTER TABLE bluegreen_control.job ADD COLUMN IF NOT EXISTS details_removed_at timestamptz;
CREATE INDEX IF NOT EXISTS job_with_details ON bluegreen_control.job (ended_at)
    WHERE details_removed_at IS NULL;
CREATE INDEX IF NOT EXISTS audit_refused ON bluegreen_control.audit (seq)
    WHERE action = 'message refused';

-- How long the steps took whose rows are gone, by the bound under which each fell: a counter that
-- ran backwards would be read as a restart.
CREATE TABLE IF NOT EXISTS bluegreen_control.removed_step (
    name    text NOT NULL,
    bound   double precision NOT NULL,   -- seconds; `infinity` above the highest
    steps   bigint NOT NULL,
    seconds double precision NOT NULL,
    PRIMARY KEY (name, bound)
);

-- Steps whose facts say that something was verified, or what clients felt: they stay.
CREATE OR REPLACE FUNCTION bluegreen_control.proofs() RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    SELECT ARRAY['take_rollback_point', 'verify_rollback_point', 'compare_rows', 'check_statements',
                 'cutover', 'hold_traffic', 'release_traffic']
$$;

-- From when on what is older goes. Never less than two days: so far back go the record of the
-- traffic, which a report compares, and the alert about a bad end.
CREATE OR REPLACE FUNCTION bluegreen_control.kept_since(days double precision)
RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT clock_timestamp() - make_interval(secs => 86400 * greatest(days, 2))
$$;

-- Jobs whose details may go, those that ended first at the head. A job that lives, which is also one
-- in its rollback window or one that is stuck, has not ended.
CREATE OR REPLACE FUNCTION bluegreen_control.expired_jobs(days double precision)
RETURNS TABLE (id text, ended_at timestamptz) LANGUAGE sql STABLE AS $$
    SELECT job.id, job.ended_at FROM bluegreen_control.job
    WHERE job.details_removed_at IS NULL AND job.ended_at < bluegreen_control.kept_since(days)
      AND NOT EXISTS (SELECT FROM bluegreen_control.lease WHERE lease.job = job.id)
    ORDER BY job.ended_at
$$;

-- What would go, by what it is: how many, and from when the oldest is.
CREATE OR REPLACE FUNCTION bluegreen_control.expired(days double precision)
RETURNS TABLE (what text, found bigint, oldest timestamptz) LANGUAGE sql STABLE AS $$
    SELECT 'details of jobs', count(*), min(ended_at) FROM bluegreen_control.expired_jobs(days)
    UNION ALL
    SELECT 'cleared alerts', count(*), min(cleared_at) FROM bluegreen_control.alert
    WHERE cleared_at < bluegreen_control.kept_since(days)
    UNION ALL
    SELECT 'ended silences', count(*), min(until) FROM bluegreen_control.silence
    WHERE least(until, ended_at) < bluegreen_control.kept_since(days)
    UNION ALL
    SELECT 'checks that nobody makes', count(*), min(at) FROM bluegreen_control.check_result
    WHERE at < bluegreen_control.kept_since(days)
    UNION ALL
    SELECT 'index rows of deleted rollback points', count(*), min(gone_at)
    FROM bluegreen_control.rollback_point WHERE gone_at < bluegreen_control.kept_since(days)
    UNION ALL
    SELECT 'older baselines', count(*), min(at) FROM bluegreen_control.baseline
    WHERE at < bluegreen_control.kept_since(days)
      AND EXISTS (SELECT FROM bluegreen_control.baseline AS newer
                  WHERE newer.database = baseline.database AND newer.at > baseline.at)
$$;

-- Remove the details of at most so many jobs, in one transaction with a row of the audit that names
-- them. Returns how many; 0: none is left. Nobody may delete a record by himself.
CREATE OR REPLACE FUNCTION bluegreen_control.remove_details(
    days double precision, most integer, bounds double precision[], asker text
) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    gone text[];
BEGIN
    SELECT array_agg(old.id) INTO gone FROM (
        SELECT job.id FROM bluegreen_control.job
        WHERE job.details_removed_at IS NULL
          AND job.id IN (SELECT expired.id FROM bluegreen_control.expired_jobs(days) AS expired)
        ORDER BY job.ended_at LIMIT most FOR UPDATE SKIP LOCKED) AS old;
    IF gone IS NULL THEN
        RETURN 0;
    END IF;
    INSERT INTO bluegreen_control.removed_step AS sum (name, bound, steps, seconds)
    SELECT took.name, took.bound, count(*), sum(took.seconds) FROM (
        SELECT step.name, extract(epoch FROM step.ended_at - step.started_at)::float8 AS seconds,
               (SELECT min(upper) FROM unnest(bounds || 'infinity'::float8) AS upper
                WHERE extract(epoch FROM step.ended_at - step.started_at) <= upper) AS bound
        FROM bluegreen_control.step
        WHERE step.job = ANY (gone) AND step.ended_at IS NOT NULL AND step.started_at IS NOT NULL
        ) AS took
    GROUP BY took.name, took.bound
    ON CONFLICT (name, bound) DO UPDATE SET
        steps = sum.steps + excluded.steps, seconds = sum.seconds + excluded.seconds;
    DELETE FROM bluegreen_control.step WHERE job = ANY (gone);
    DELETE FROM bluegreen_control.history WHERE job = ANY (gone);
    DELETE FROM bluegreen_control.answer WHERE job = ANY (gone);
    DELETE FROM bluegreen_control.outbox WHERE job = ANY (gone);
    DELETE FROM bluegreen_control.request WHERE job = ANY (gone);
    DELETE FROM bluegreen_control.observation WHERE job = ANY (gone);
    DELETE FROM bluegreen_control.switch WHERE job = ANY (gone);
    DELETE FROM bluegreen_control.rehearsal WHERE job = ANY (gone);
    DELETE FROM bluegreen_control.comparison WHERE job = ANY (gone);
    DELETE FROM bluegreen_control.fact
    WHERE job = ANY (gone) AND step <> ALL (bluegreen_control.proofs());
    UPDATE bluegreen_control.job SET sql = '', details_removed_at = clock_timestamp()
    WHERE id = ANY (gone);
    PERFORM bluegreen_control.append_audit(
        asker, 'details removed', jsonb_build_object('jobs', to_jsonb(gone), 'days', days));
    RETURN cardinality(gone);
END
$$;

-- Remove what else is old. Returns how many rows.
CREATE OR REPLACE FUNCTION bluegreen_control.remove_old(days double precision)
RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH since AS (SELECT bluegreen_control.kept_since(days) AS since),
    alerts AS (DELETE FROM bluegreen_control.alert USING since WHERE cleared_at < since RETURNING 1),
    silences AS (DELETE FROM bluegreen_control.silence USING since
                 WHERE least(until, ended_at) < since RETURNING 1),
    checks AS (DELETE FROM bluegreen_control.check_result USING since WHERE at < since RETURNING 1),
    points AS (DELETE FROM bluegreen_control.rollback_point USING since
               WHERE gone_at < since RETURNING 1),
    baselines AS (DELETE FROM bluegreen_control.baseline AS old USING since
                  WHERE old.at < since
                    AND EXISTS (SELECT FROM bluegreen_control.baseline AS newer
                                WHERE newer.database = old.database AND newer.at > old.at)
                  RETURNING 1)
    SELECT count(*) FROM (SELECT FROM alerts UNION ALL SELECT FROM silences
                          UNION ALL SELECT FROM checks UNION ALL SELECT FROM points
                          UNION ALL SELECT FROM baselines) AS removed
$$;
