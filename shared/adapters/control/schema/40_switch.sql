-- What was measured of each change of sides (shared.ports.SwitchRecord). A rollback is another row.
CREATE TABLE IF NOT EXISTS bluegreen_control.switch (
    job                 text NOT NULL REFERENCES bluegreen_control.job (id),
    attempt             bigint NOT NULL,
    direction           text NOT NULL,
    at                  timestamptz NOT NULL,
    window_ms           double precision NOT NULL,
    phases_ms           jsonb NOT NULL,
    connections_cut     integer NOT NULL,
    failed_transactions integer,
    baseline_p50_ms     double precision,
    baseline_p99_ms     double precision,
    longest_ms          double precision,
    samples             jsonb NOT NULL,
    PRIMARY KEY (job, attempt)
);
