-- What the rehearsal of a job learned; kept until the job's rehearsal is undone.
CREATE TABLE IF NOT EXISTS bluegreen_control.rehearsal (
    job     text PRIMARY KEY REFERENCES bluegreen_control.job (id),
    mapping jsonb NOT NULL,
    run_as  text NOT NULL,
    at      timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- How far the comparison of a job's rows has come, and its verdict when it is at the end.
CREATE TABLE IF NOT EXISTS bluegreen_control.comparison (
    job      text PRIMARY KEY REFERENCES bluegreen_control.job (id),
    progress jsonb NOT NULL,
    at       timestamptz NOT NULL DEFAULT clock_timestamp()
);
