-- seen: what a step kept of a job under that key.
SELECT body FROM bluegreen_control.observation WHERE job = %s AND key = %s

-- note: keep what a step saw, in place of what stood there.
INSERT INTO bluegreen_control.observation (job, key, body) VALUES (%s, %s, %s)
ON CONFLICT (job, key) DO UPDATE SET body = excluded.body, at = clock_timestamp()

-- raise_alert: raise an alert that is not raised already; the row comes back to the one who raised it.
INSERT INTO bluegreen_control.alert (name, severity, sentence, detail) VALUES (%s, %s, %s, %s)
ON CONFLICT (name) WHERE cleared_at IS NULL DO NOTHING
RETURNING id

-- clear_alert: clear an alert that is raised; the row comes back to the one who cleared it.
UPDATE bluegreen_control.alert SET cleared_at = clock_timestamp()
WHERE name = %s AND cleared_at IS NULL
RETURNING id

-- raised: alerts that are raised now, oldest first.
SELECT name, severity, sentence, raised_at FROM bluegreen_control.alert
WHERE cleared_at IS NULL ORDER BY raised_at

-- check_result: the last answer of a check.
INSERT INTO bluegreen_control.check_result (name, healthy, severity, sentence, value, at)
VALUES (%s, %s, %s, %s, %s, clock_timestamp())
ON CONFLICT (name) DO UPDATE SET healthy = excluded.healthy, severity = excluded.severity,
    sentence = excluded.sentence, value = excluded.value, at = excluded.at

-- ended_badly: jobs that ended otherwise than completed since then, with the step that failed and why.
SELECT job.id, job.database, job.file_name, job.outcome, job.sentence, job.cause, job.remedy,
       (SELECT h.step FROM bluegreen_control.history h
        WHERE h.job = job.id AND h.event LIKE '%%failed%%' ORDER BY h.seq DESC LIMIT 1),
       job.ended_at
FROM bluegreen_control.job
WHERE job.ended_at > %s AND job.outcome <> 'completed'
ORDER BY job.ended_at
