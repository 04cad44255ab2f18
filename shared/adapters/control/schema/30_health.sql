-- What a step of the health-monitor saw of one job: it begins a comparison, or proves that it ended.
CREATE TABLE IF NOT EXISTS bluegreen_control.observation (
    job  text NOT NULL,
    key  text NOT NULL,
    at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    body jsonb NOT NULL,
    PRIMARY KEY (job, key)
);

-- The last answer of each check, for `bluegreen health` and the report.
CREATE TABLE IF NOT EXISTS bluegreen_control.check_result (
    name     text PRIMARY KEY,
    healthy  boolean NOT NULL,
    severity text NOT NULL,
    sentence text NOT NULL,
    value    double precision,
    at       timestamptz NOT NULL
);

-- An alert from the moment it is raised; raised once, however many monitors there are.
CREATE TABLE IF NOT EXISTS bluegreen_control.alert (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL,
    severity   text NOT NULL,
    sentence   text NOT NULL,
    detail     jsonb NOT NULL DEFAULT '{}',
    raised_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    cleared_at timestamptz
);
CREATE UNIQUE INDEX IF NOT EXISTS alert_raised
    ON bluegreen_control.alert (name) WHERE cleared_at IS NULL;

-- Whether people were told of an alert: one that is silenced is kept and not told.
ALTER TABLE bluegreen_control.alert ADD COLUMN IF NOT EXISTS told_at timestamptz;

-- Alerts that nobody wants to hear of for a while.
CREATE TABLE IF NOT EXISTS bluegreen_control.silence (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pattern text NOT NULL,   -- as of LIKE
    until   timestamptz NOT NULL,
    by      text NOT NULL,
    reason  text NOT NULL,
    at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz
);

-- That a process which never sleeps is awake.
CREATE TABLE IF NOT EXISTS bluegreen_control.heartbeat (
    name text PRIMARY KEY,
    at   timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Error classes that were seen in the servers' logs.
CREATE TABLE IF NOT EXISTS bluegreen_control.error_class (
    database    text NOT NULL,
    code        text NOT NULL,
    side        text NOT NULL,
    severity    text NOT NULL,
    user_name   text NOT NULL,
    message     text NOT NULL,
    occurrences bigint NOT NULL,
    first_at    timestamptz NOT NULL,
    last_at     timestamptz NOT NULL,
    PRIMARY KEY (database, code)
);

-- The schema as the last job, or a person, left it.
CREATE TABLE IF NOT EXISTS bluegreen_control.schema_mark (
    database    text PRIMARY KEY,
    fingerprint text NOT NULL,
    at          timestamptz NOT NULL DEFAULT clock_timestamp()
);
