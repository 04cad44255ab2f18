-- jobs: how many of each kind ended how.
SELECT kind, outcome, count(*) FROM bluegreen_control.job
WHERE ended_at IS NOT NULL AND outcome IS NOT NULL GROUP BY 1, 2

-- live: how many are in which phase.
SELECT phase, count(*) FROM bluegreen_control.job WHERE ended_at IS NULL GROUP BY 1

-- durations: of each step how many took no longer than each bound, and all; and seconds in all.
WITH took AS (
    SELECT name, 1::bigint AS steps, extract(epoch FROM ended_at - started_at)::float8 AS seconds,
           extract(epoch FROM ended_at - started_at)::float8 AS longest
    FROM bluegreen_control.step WHERE ended_at IS NOT NULL AND started_at IS NOT NULL
    UNION ALL
    SELECT name, steps, seconds, bound FROM bluegreen_control.removed_step),
counted AS (
    SELECT name, bound, (sum(steps) FILTER (WHERE longest <= bound))::bigint AS within,
           sum(seconds) AS seconds
    FROM took CROSS JOIN unnest(%s::float8[] || 'infinity'::float8) AS bound GROUP BY name, bound)
SELECT name, array_agg(coalesce(within, 0) ORDER BY bound), max(seconds) FROM counted GROUP BY name

-- rejected: messages that were no command, by reason.
SELECT coalesce(left(detail ->> 'reason', 60), 'unknown'), count(*) FROM bluegreen_control.audit
WHERE action = 'message refused' GROUP BY 1

-- alerts: how many are raised, of each severity.
SELECT severity, (SELECT count(*) FROM bluegreen_control.alert
                  WHERE alert.severity = known.severity AND cleared_at IS NULL)
FROM unnest(ARRAY['info', 'warning', 'critical']) AS known (severity)

-- single: what has no labels.
SELECT (SELECT coalesce(sum((body ->> 'rows_compared')::bigint), 0)::bigint
        FROM bluegreen_control.fact WHERE step = 'compare_rows'),
       (SELECT coalesce(sum((body ->> 'rows_different')::bigint), 0)::bigint
        FROM bluegreen_control.fact WHERE step = 'compare_rows'),
       (SELECT epoch FROM bluegreen_control.lease WHERE database = %(database)s),
       (SELECT window_ms / 1000 FROM bluegreen_control.switch ORDER BY at DESC LIMIT 1),
       (SELECT (job.options ->> 'max_stall_ms')::float8 / 1000 FROM bluegreen_control.switch
        JOIN bluegreen_control.job ON job.id = switch.job ORDER BY switch.at DESC LIMIT 1),
       (SELECT extract(epoch FROM clock_timestamp() - step.started_at)::float8
        FROM bluegreen_control.step JOIN bluegreen_control.job ON job.id = step.job
        WHERE job.ended_at IS NULL AND step.state = 'running'
          AND step.name NOT IN ('hold_rollback_window', 'hold_for_approval', 'wait_for_window')
        ORDER BY step.started_at DESC LIMIT 1)
