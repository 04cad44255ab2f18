-- name: lease
-- The lease of one database, locked until this transaction ends.
SELECT lease.job, lease.epoch FROM bluegreen_control.lease WHERE database = %s FOR UPDATE

-- name: completed_with_file
-- The last job that completed a file of this name on this database.
SELECT id, sql_sha256 FROM bluegreen_control.job
WHERE database = %s AND file_name = %s AND outcome = 'completed'
ORDER BY ended_at DESC LIMIT 1

-- name: newest_with_file
-- The last job that carried a file of this name to this database.
SELECT id FROM bluegreen_control.job WHERE database = %s AND file_name = %s
ORDER BY requested_at DESC LIMIT 1

-- name: insert_job
-- A new job, unless the id is taken.
INSERT INTO bluegreen_control.job
    (id, database, kind, file_name, sql, sql_sha256, options, recipe, source, requested_by, epoch,
     sentence)
VALUES (%(id)s, %(database)s, %(kind)s, %(file_name)s, %(sql)s, %(sql_sha256)s, %(options)s,
        %(recipe)s, %(source)s, %(requested_by)s, %(epoch)s, 'waits for the coordinator')
ON CONFLICT (id) DO NOTHING

-- name: jobs
-- Jobs, newest first.
SELECT * FROM bluegreen_control.job
WHERE NOT %(live_only)s OR ended_at IS NULL
ORDER BY requested_at DESC LIMIT %(limit)s

-- name: history
-- The history of one job behind a row of it.
SELECT seq, at, phase, event, step, sentence FROM bluegreen_control.history
WHERE job = %s AND seq > %s ORDER BY seq

-- name: jobs_with_work
-- Live jobs for which something is to be decided now.
SELECT job.id FROM bluegreen_control.job
WHERE job.ended_at IS NULL
  AND (job.phase = 'requested' OR job.late_at < clock_timestamp()
       OR EXISTS (SELECT FROM bluegreen_control.answer WHERE answer.job = job.id)
       OR EXISTS (SELECT FROM bluegreen_control.request
                  WHERE request.job = job.id AND request.read_at IS NULL)
       OR job.due_at IS NOT NULL AND NOT EXISTS (
           SELECT FROM bluegreen_control.outbox WHERE outbox.job = job.id)
       OR EXISTS (SELECT FROM bluegreen_control.outbox
                  WHERE outbox.job = job.id AND outbox.answered_at IS NULL
                    AND outbox.starts >= %(most_starts)s
                    AND NOT bluegreen_control.is_under_way(job.id, %(lock_class)s)))
ORDER BY job.requested_at

-- name: take_answers
-- The unread answers of one job, in the order in which they were given; read once.
WITH taken AS (DELETE FROM bluegreen_control.answer WHERE job = %s RETURNING *)
SELECT * FROM taken ORDER BY id

-- name: take_requests
-- What people asked for and nobody has read.
WITH taken AS (
    UPDATE bluegreen_control.request SET read_at = clock_timestamp()
    WHERE job = %s AND read_at IS NULL RETURNING *)
SELECT what, by FROM taken ORDER BY id

-- name: save_job
-- Where the saga stands now.
UPDATE bluegreen_control.job SET
    phase = %(phase)s, at = %(at)s, furthest = %(furthest)s, direction = %(direction)s,
    attempt = %(attempt)s, granted = %(granted)s, epoch = %(epoch)s, began_at = %(began_at)s,
    due_at = %(due_at)s, late_at = %(late_at)s, abort_asked_by = %(abort_asked_by)s,
    reopening = %(reopening)s, back_to = %(back_to)s, cause = %(cause)s, remedy = %(remedy)s, outcome = %(outcome)s,
    sentence = %(sentence)s, ended_at = %(ended_at)s
WHERE id = %(job)s

-- name: save_lease
-- The epoch goes on; an ended job gives the database back.
UPDATE bluegreen_control.lease SET
    epoch = greatest(epoch, %(epoch)s), job = CASE WHEN %(ended)s THEN NULL ELSE job END
WHERE job = %(job)s

-- name: append_history
-- One transition.
INSERT INTO bluegreen_control.history (job, at, phase, event, step, attempt, epoch, sentence)
VALUES (%(job)s, %(at)s, %(phase)s, %(event)s, %(step)s, %(attempt)s, %(epoch)s, %(sentence)s)

-- name: save_command
-- The command that is out from now on; it is sent when it is due.
INSERT INTO bluegreen_control.outbox (job, step, owner, direction, attempt, epoch, due_at)
VALUES (%(job)s, %(step)s, %(owner)s, %(direction)s, %(attempt)s, %(epoch)s, %(due_at)s)
ON CONFLICT (job) DO UPDATE SET
    step = excluded.step, owner = excluded.owner, direction = excluded.direction,
    attempt = excluded.attempt, epoch = excluded.epoch, due_at = excluded.due_at,
    sent_at = NULL, sends = 0, starts = 0, answered_at = NULL

-- name: save_steps
-- Write every row for people again; one that was lost comes back.
INSERT INTO bluegreen_control.step
    (job, name, state, attempts, progress, sentence, started_at, ended_at)
SELECT %(job)s, new.name, new.state, new.attempts, new.progress, coalesce(new.sentence, ''),
       CASE WHEN new.begun THEN %(now)s::timestamptz END,
       CASE WHEN new.rests AND new.begun THEN %(now)s::timestamptz END
FROM jsonb_to_recordset(%(steps)s) AS new
    (name text, state text, attempts integer, progress float8, sentence text, begun boolean,
     rests boolean)
ON CONFLICT (job, name) DO UPDATE SET
    state = excluded.state,
    attempts = greatest(step.attempts, excluded.attempts),
    progress = coalesce(excluded.progress, step.progress),
    sentence = CASE WHEN excluded.sentence = '' THEN step.sentence ELSE excluded.sentence END,
    started_at = coalesce(step.started_at, excluded.started_at),
    ended_at = coalesce(step.ended_at, excluded.ended_at)
WHERE step.state <> excluded.state OR step.attempts < excluded.attempts
   OR step.progress IS DISTINCT FROM coalesce(excluded.progress, step.progress)
   OR excluded.sentence NOT IN ('', step.sentence)

-- name: claim_commands
-- Commands to send now: never sent, or sent a while ago and neither answered nor under way.
-- The pause before a command is sent again doubles up to 30 s.
UPDATE bluegreen_control.outbox SET sent_at = clock_timestamp(), sends = sends + 1
WHERE answered_at IS NULL AND due_at <= clock_timestamp()
  AND (sent_at IS NULL
       OR sent_at < clock_timestamp() - make_interval(secs => least(30, 2 ^ least(sends, 6) / 2))
          AND NOT bluegreen_control.is_under_way(job, %(lock_class)s))
RETURNING job, step, owner, direction, attempt, epoch, due_at, sends

-- name: unclaim_command
-- It could not be sent: the next sweep tries again.
UPDATE bluegreen_control.outbox SET sent_at = NULL, sends = greatest(0, sends - 1)
WHERE job = %s AND epoch = %s AND answered_at IS NULL

-- name: nobody_takes
-- Say for people that no worker has taken the command; the next decision says something else.
UPDATE bluegreen_control.job SET sentence = format(
    '%%s waits: no worker of %%s has taken it for %%s s', outbox.step, outbox.owner,
    round(extract(epoch FROM clock_timestamp() - outbox.due_at)))
FROM bluegreen_control.outbox
WHERE job.id = %(job)s AND outbox.job = job.id AND outbox.epoch = %(epoch)s AND outbox.starts = 0
  AND outbox.answered_at IS NULL

-- name: starts
-- How often workers began the command that is out and died; NULL while one is at it.
SELECT CASE WHEN answered_at IS NULL
             AND NOT bluegreen_control.is_under_way(job, %(lock_class)s) THEN starts END
FROM bluegreen_control.outbox WHERE job = %(job)s

-- name: next_due
-- Seconds until the next command is due that was not sent yet; NULL when there is none.
SELECT extract(epoch FROM min(due_at) - clock_timestamp()) FROM bluegreen_control.outbox
WHERE answered_at IS NULL AND sent_at IS NULL

-- name: begin_command
-- Begin the command if exactly this is due. No row: it is not. A worker that dies in it leaves it
-- to be sent again after a second.
UPDATE bluegreen_control.outbox SET starts = starts + 1, sends = 1
WHERE job = %(job)s AND step = %(step)s AND direction = %(direction)s AND attempt = %(attempt)s
  AND epoch = %(epoch)s AND owner = %(owner)s AND answered_at IS NULL
  AND due_at <= clock_timestamp() + interval '50 ms'
RETURNING job

-- name: end_command
-- The command is answered, if it is still the one that is out. No row: nobody waits for it.
UPDATE bluegreen_control.outbox SET answered_at = clock_timestamp(), starts = 0
WHERE job = %(job)s AND step = %(step)s AND direction = %(direction)s AND attempt = %(attempt)s
  AND epoch = %(epoch)s AND answered_at IS NULL
RETURNING job

-- name: insert_answer
-- What came of a command.
INSERT INTO bluegreen_control.answer
    (job, step, direction, attempt, epoch, kind, said, progress, look_again_s, family, remedy)
VALUES (%(job)s, %(step)s, %(direction)s, %(attempt)s, %(epoch)s, %(kind)s, %(said)s, %(progress)s,
        %(look_again_s)s, %(family)s, %(remedy)s)

-- name: save_fact
-- What a step learned; a repeat overwrites it.
INSERT INTO bluegreen_control.fact (job, step, body) VALUES (%s, %s, %s)
ON CONFLICT (job, step) DO UPDATE SET body = excluded.body, at = excluded.at

-- name: requests_of_job
-- What people asked for since the job last went back to rest in sync: what was approved before that
-- does not count any more.
SELECT what, at FROM bluegreen_control.request
WHERE job = %(job)s AND id >= coalesce((
    SELECT max(id) FROM bluegreen_control.request WHERE job = %(job)s AND what = 'keep-sync'), 0)
ORDER BY id

-- name: forget_facts
-- What undone steps learned is asked anew.
DELETE FROM bluegreen_control.fact WHERE job = %(job)s AND step = ANY (%(steps)s)

-- name: way_back_alert
-- What the alert of that name says while it is raised.
SELECT sentence FROM bluegreen_control.alert WHERE name = %s AND cleared_at IS NULL

-- name: broken_audit_row
-- The first row of the audit whose hash does not follow from the row before it, or is missing.
SELECT seq FROM (
    SELECT seq, hash, row_number() OVER (ORDER BY seq) AS place,
           bluegreen_control.audit_hash(coalesce(lag(hash) OVER (ORDER BY seq), ''), seq, at,
                                        actor, action, detail) AS expected
    FROM bluegreen_control.audit) AS chain
WHERE hash <> expected OR seq <> place
ORDER BY seq LIMIT 1

-- name: audit_head
-- How many rows the audit has, and the newest with its hash.
SELECT (SELECT count(*) FROM bluegreen_control.audit),
       (SELECT seq || ':' || encode(hash, 'hex') FROM bluegreen_control.audit
        ORDER BY seq DESC LIMIT 1)

-- name: audit_hash
-- The hash of one row.
SELECT encode(hash, 'hex') FROM bluegreen_control.audit WHERE seq = %s
