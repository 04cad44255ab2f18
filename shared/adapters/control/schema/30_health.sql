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
