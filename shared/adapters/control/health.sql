-- seen: what a step kept of a job under that key.
SELECT body FROM bluegreen_control.observation WHERE job = %s AND key = %s

-- note: keep what a step saw, in place of what stood there.
INSERT INTO bluegreen_control.observation (job, key, body) VALUES (%s, %s, %s)
ON CONFLICT (job, key) DO UPDATE SET body = excluded.body, at = clock_timestamp()

-- raise_alert: raise an alert that is not raised already; the row comes back to the one who raised it.
INSERT INTO bluegreen_control.alert (name, severity, sentence, detail) VALUES (%s, %s, %s, %s)
ON CONFLICT (name) WHERE cleared_at IS NULL DO NOTHING
RETURNING id

-- clear_alert: clear an alert that is raised; the one who cleared it learns whether people were told.
UPDATE bluegreen_control.alert SET cleared_at = clock_timestamp()
WHERE name = %s AND cleared_at IS NULL
RETURNING told_at IS NOT NULL

-- take_untold: alerts that people are to be told of now; each comes back to one caller only.
UPDATE bluegreen_control.alert SET told_at = clock_timestamp()
WHERE cleared_at IS NULL AND told_at IS NULL
  AND NOT EXISTS (SELECT FROM bluegreen_control.silence
                  WHERE alert.name LIKE silence.pattern AND silence.ended_at IS NULL
                    AND silence.until > clock_timestamp())
RETURNING name, severity, sentence

-- silence: nobody wants to hear of alerts whose name is like this, for so many seconds.
INSERT INTO bluegreen_control.silence (pattern, until, by, reason)
VALUES (%s, clock_timestamp() + make_interval(secs => %s), %s, %s)
RETURNING id, until

-- silences: those that hold now.
SELECT id, pattern, until, by, reason FROM bluegreen_control.silence
WHERE ended_at IS NULL AND until > clock_timestamp() ORDER BY id

-- end_silence: alerts like that are told again.
UPDATE bluegreen_control.silence SET ended_at = clock_timestamp()
WHERE id = %s AND ended_at IS NULL AND until > clock_timestamp()
RETURNING pattern

-- beat: that process is awake.
INSERT INTO bluegreen_control.heartbeat (name) VALUES (%s)
ON CONFLICT (name) DO UPDATE SET at = clock_timestamp()

-- heartbeat_age: seconds since its last sign.
SELECT extract(epoch FROM clock_timestamp() - at)::float8 FROM bluegreen_control.heartbeat
WHERE name = %s

-- raised: alerts that are raised now, oldest first.
SELECT name, severity, sentence, raised_at FROM bluegreen_control.alert
WHERE cleared_at IS NULL ORDER BY raised_at

-- announced: the announcements of one job, oldest first; a bad end is none
SELECT sentence FROM bluegreen_control.alert
WHERE %s = ANY (string_to_array(name, '/')) AND name NOT LIKE 'job/%%' ORDER BY raised_at

-- check_results: the last answers of checks, each of which is named once.
INSERT INTO bluegreen_control.check_result (name, healthy, severity, sentence, value, at)
SELECT name, healthy, severity, sentence, value, clock_timestamp()
FROM unnest(%s::text[], %s::boolean[], %s::text[], %s::text[], %s::float8[])
     AS found (name, healthy, severity, sentence, value)
ON CONFLICT (name) DO UPDATE SET healthy = excluded.healthy, severity = excluded.severity,
    sentence = excluded.sentence, value = excluded.value, at = excluded.at

-- running_steps: the steps in which live jobs are now, forward or backward
SELECT job.kind, outbox.step, outbox.direction = 'backward' FROM bluegreen_control.outbox
JOIN bluegreen_control.job ON job.id = outbox.job
WHERE job.ended_at IS NULL

-- untold_bad_ends: jobs of the last day that ended otherwise than completed, and of which no alert was ever raised
SELECT job.id, job.database, job.file_name, job.outcome, job.sentence, job.cause, job.remedy,
       (SELECT min(step.name) FROM bluegreen_control.step
        WHERE step.job = job.id AND step.state = 'failed')
FROM bluegreen_control.job
WHERE job.outcome <> 'completed' AND job.ended_at > clock_timestamp() - interval '1 day'
  AND NOT EXISTS (SELECT FROM bluegreen_control.alert WHERE alert.name = 'job/' || job.id)
ORDER BY job.ended_at

-- settled_bad_ends: alerts of such jobs that are over: a later job completed, or a day has passed
SELECT alert.name FROM bluegreen_control.alert
JOIN bluegreen_control.job ON alert.name = 'job/' || job.id
WHERE alert.cleared_at IS NULL
  AND (job.ended_at < clock_timestamp() - interval '1 day'
       OR EXISTS (SELECT FROM bluegreen_control.job AS later
                  WHERE later.database = job.database AND later.outcome = 'completed'
                    AND later.ended_at > job.ended_at))

-- unwatched_jobs: jobs that ended well a moment ago and did not wait for a verdict on the traffic since
SELECT job.id, job.database, job.kind, job.file_name, job.source, job.options, job.epoch,
       split_part(confirm.key, '/', 2)::int AS attempt
FROM bluegreen_control.job
JOIN bluegreen_control.observation AS confirm ON confirm.job = job.id AND confirm.key LIKE 'confirm/%%'
WHERE job.kind IN ('safe', 'maintenance') AND job.outcome = 'completed'
  AND job.ended_at > clock_timestamp() - interval '2 minutes'
  AND NOT EXISTS (SELECT FROM bluegreen_control.observation AS after
                  WHERE after.job = job.id AND after.key = 'after')
ORDER BY job.ended_at, confirm.at
