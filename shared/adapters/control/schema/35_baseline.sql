-- What was usual when somebody measured it (shared.domain.baseline.Baseline).
CREATE TABLE IF NOT EXISTS bluegreen_control.baseline (
    database text NOT NULL,
    at       timestamptz NOT NULL,
    body     jsonb NOT NULL,
    PRIMARY KEY (database, at)
);

-- The monitor's running record of the traffic, one row a look (shared.domain.baseline.Interval).
CREATE TABLE IF NOT EXISTS bluegreen_control.traffic (
    database     text NOT NULL,
    at           timestamptz NOT NULL,
    side         text NOT NULL,
    seconds      double precision NOT NULL,
    transactions bigint NOT NULL,
    mean_ms      double precision NOT NULL,
    waiting_ms   double precision NOT NULL,
    door_ms      double precision,
    PRIMARY KEY (database, at)
);
