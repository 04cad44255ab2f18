"""What a job must not leave behind on a server, each kind with the query that finds it."""

from __future__ import annotations

import psycopg

QUERIES = {
    "logical slot": "SELECT slot_name FROM pg_replication_slots WHERE slot_type = 'logical'",
    "guard slot": "SELECT slot_name FROM pg_replication_slots WHERE slot_name LIKE '%guard%'",
    "publication": "SELECT pubname FROM pg_publication",
    "subscription": "SELECT subname FROM pg_subscription",
    "event trigger": "SELECT evtname FROM pg_event_trigger",
    "trigger of ours": "SELECT tgname FROM pg_trigger WHERE tgname LIKE '~bluegreen%'",
    "schema of the job": "SELECT nspname FROM pg_namespace WHERE nspname = 'bluegreen_job'",
    "landing column": "SELECT attrelid::regclass || '.' || attname FROM pg_attribute"
    " WHERE attname ~ '^(bg|bluegreen)_[a-z]_' AND attnum > 0 AND NOT attisdropped",
    "prepared transaction": "SELECT gid FROM pg_prepared_xacts",
    "scratch database": "SELECT datname FROM pg_database WHERE datname ~ '^bluegreen_[rs]'",
    "replication origin": "SELECT roname FROM pg_replication_origin",
    "role without login": "SELECT rolname FROM pg_roles WHERE rolname = 'app' AND NOT rolcanlogin",
}


def residue(dsn: str) -> dict[str, list[str]]:
    """Everything of those kinds on the server behind `dsn` (as its administrator)."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        found = {
            kind: [str(row[0]) for row in connection.execute(query)]
            for kind, query in QUERIES.items()
        }
    return {kind: names for kind, names in found.items() if names}
