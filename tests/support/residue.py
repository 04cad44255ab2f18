"""What a job must not leave behind on a server, each kind with the query that finds it."""

from __future__ import annotations

import psycopg

QUERIES = {
    "logical slot": "SELECT slot_name FROM pg_replication_slots WHERE slot_type = 'logical'",
    "slot that nobody reads": "SELECT slot_name FROM pg_replication_slots"
    " WHERE slot_type = 'physical' AND (pg_is_in_recovery() OR NOT active)",
    "recovery target": "SELECT name FROM pg_file_settings"
    " WHERE name LIKE 'recovery_target%' AND name <> 'recovery_target_timeline'",
    "upstream of a side that serves": "SELECT name FROM pg_file_settings"
    " WHERE name IN ('primary_conninfo', 'primary_slot_name') AND NOT pg_is_in_recovery()",
    "stored fence": "SELECT name FROM bluegreen.fenced_role",
    "open attempt": "SELECT attempt FROM bluegreen.attempt WHERE state = 'open'",
    "row of the probe": "SELECT at FROM bluegreen.probe",
    "constraint of ours": "SELECT conname FROM pg_constraint WHERE conname LIKE 'bluegreen~_%'"
    " ESCAPE '~'",
    "relation of ours": "SELECT oid::regclass FROM pg_class WHERE relname LIKE 'bluegreen~_%'"
    " ESCAPE '~'",
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
