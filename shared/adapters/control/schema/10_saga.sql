-- The truth about jobs. Applied again at every start: each statement leaves what is there alone.
CREATE SCHEMA IF NOT EXISTS bluegreen_control;

-- One run of one migration: what was asked for, and where its saga stands.
CREATE TABLE IF NOT EXISTS bluegreen_control.job (
    id             text PRIMARY KEY,
    database       text NOT NULL,
    kind           text NOT NULL,
    file_name      text NOT NULL,
    sql            text NOT NULL,
    sql_sha256     text NOT NULL,
    options        jsonb NOT NULL,
    recipe         jsonb NOT NULL,   -- the job's own plan: a newer program goes on by it
    source         text NOT NULL,
    requested_by   text NOT NULL,
    requested_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    phase          text NOT NULL DEFAULT 'requested',
    at             integer NOT NULL DEFAULT 0,
    furthest       integer NOT NULL DEFAULT 0,
    direction      text NOT NULL DEFAULT 'forward',
    attempt        integer NOT NULL DEFAULT 0,
    granted        integer NOT NULL DEFAULT 0,
    epoch          bigint NOT NULL,
    began_at       timestamptz,
    due_at         timestamptz,
    late_at        timestamptz,
    abort_asked_by text NOT NULL DEFAULT '',
    reopening      boolean NOT NULL DEFAULT false,
    back_to        integer,
    cause          text NOT NULL DEFAULT '',
    remedy         text NOT NULL DEFAULT '',
    outcome        text,
    sentence       text NOT NULL DEFAULT '',
    ended_at       timestamptz
);
ALTER TABLE bluegreen_control.job ADD COLUMN IF NOT EXISTS back_to integer;
CREATE INDEX IF NOT EXISTS job_of_file ON bluegreen_control.job (database, file_name);
CREATE INDEX IF NOT EXISTS job_live ON bluegreen_control.job (id) WHERE ended_at IS NULL;

-- One live job per database; the epoch goes on from job to job.
CREATE TABLE IF NOT EXISTS bluegreen_control.lease (
    database text PRIMARY KEY,
    job      text REFERENCES bluegreen_control.job,
    epoch    bigint NOT NULL DEFAULT 0
);

-- For people: lost rows are written again at the next decision.
CREATE TABLE IF NOT EXISTS bluegreen_control.step (
    job        text NOT NULL REFERENCES bluegreen_control.job,
    name       text NOT NULL,
    state      text NOT NULL,
    attempts   integer NOT NULL,
    progress   double precision,
    sentence   text NOT NULL,
    started_at timestamptz,
    ended_at   timestamptz,
    PRIMARY KEY (job, name)
);

-- What a step learned and later steps need (shared/domain/facts.py).
CREATE TABLE IF NOT EXISTS bluegreen_control.fact (
    job  text NOT NULL REFERENCES bluegreen_control.job,
    step text NOT NULL,
    body jsonb NOT NULL,
    at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (job, step)
);

-- Every transition, in order. Only ever appended to, until the details of the job go (60_retention.sql).
CREATE TABLE IF NOT EXISTS bluegreen_control.history (
    job      text NOT NULL REFERENCES bluegreen_control.job,
    seq      bigint GENERATED ALWAYS AS IDENTITY,
    at       timestamptz NOT NULL,
    phase    text NOT NULL,
    event    text NOT NULL,
    step     text,
    attempt  integer NOT NULL,
    epoch    bigint NOT NULL,
    sentence text NOT NULL,
    PRIMARY KEY (job, seq)
);

-- What agents answered and the coordinator has not read yet.
CREATE TABLE IF NOT EXISTS bluegreen_control.answer (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job          text NOT NULL REFERENCES bluegreen_control.job,
    step         text NOT NULL,
    direction    text NOT NULL,
    attempt      integer NOT NULL,
    epoch        bigint NOT NULL,
    kind         text NOT NULL,
    said         text NOT NULL,
    progress     double precision,
    look_again_s double precision NOT NULL,
    family       text NOT NULL,
    remedy       text NOT NULL
);

-- The one command of each job that is out. A message acts only while its row here says it is due.
CREATE TABLE IF NOT EXISTS bluegreen_control.outbox (
    job         text PRIMARY KEY REFERENCES bluegreen_control.job,
    step        text NOT NULL,
    owner       text NOT NULL,
    direction   text NOT NULL,
    attempt     integer NOT NULL,
    epoch       bigint NOT NULL,
    due_at      timestamptz NOT NULL,
    sent_at     timestamptz,
    sends       integer NOT NULL DEFAULT 0,
    starts      integer NOT NULL DEFAULT 0,   -- workers that began and have not answered
    answered_at timestamptz
);

-- Whether a worker holds the lock of that job now (shared/adapters/control/worker_store.py).
CREATE OR REPLACE FUNCTION bluegreen_control.is_under_way(job text, lock_class integer)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM pg_locks
        WHERE locktype = 'advisory' AND granted AND classid = lock_class::oid
          AND objid = hashtext(job)::oid
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
$$;

-- What people asked for.
CREATE TABLE IF NOT EXISTS bluegreen_control.request (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job     text NOT NULL REFERENCES bluegreen_control.job,
    what    text NOT NULL,
    by      text NOT NULL,
    at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    read_at timestamptz
);
CREATE INDEX IF NOT EXISTS request_unread ON bluegreen_control.request (job) WHERE read_at IS NULL;

-- Who did what: each row carries the hash of the one before it.
CREATE TABLE IF NOT EXISTS bluegreen_control.audit (
    seq    bigint PRIMARY KEY,
    at     timestamptz NOT NULL,
    actor  text NOT NULL,
    action text NOT NULL,
    detail jsonb NOT NULL,
    hash   bytea NOT NULL
);

-- The hash of one audit row over all its values and the hash before it.
CREATE OR REPLACE FUNCTION bluegreen_control.audit_hash(
    previous bytea, seq bigint, at timestamptz, actor text, action text, detail jsonb
) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(previous || convert_to(jsonb_build_array(
        seq, extract(epoch FROM at), actor, action, detail)::text, 'UTF8'))
$$;

-- Append one row to the chain; writers wait for one another.
CREATE OR REPLACE FUNCTION bluegreen_control.append_audit(
    actor text, action text, detail jsonb
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    last bluegreen_control.audit;
    now_at timestamptz := clock_timestamp();
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('bluegreen_control.audit'));
    SELECT * INTO last FROM bluegreen_control.audit ORDER BY seq DESC LIMIT 1;
    INSERT INTO bluegreen_control.audit
    VALUES (coalesce(last.seq, 0) + 1, now_at, actor, action, detail,
            bluegreen_control.audit_hash(coalesce(last.hash, ''), coalesce(last.seq, 0) + 1,
                                         now_at, actor, action, detail));
    RETURN coalesce(last.seq, 0) + 1;
END
$$;
