-- Rollback points as the whole stack sees them; the files and their manifests are the truth.
CREATE TABLE IF NOT EXISTS bluegreen_control.rollback_point (
    name         text PRIMARY KEY,
    job          text NOT NULL,
    database     text NOT NULL,
    scope        text NOT NULL,
    taken_at     timestamptz NOT NULL,
    verified_at  timestamptz,
    unused       boolean NOT NULL,
    rows         bigint NOT NULL,
    stored_bytes bigint NOT NULL,
    gone_at      timestamptz
);
CREATE INDEX IF NOT EXISTS rollback_point_of_job ON bluegreen_control.rollback_point (job);
