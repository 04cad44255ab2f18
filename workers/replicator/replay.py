"""Replay on the standing standby: held during a maintenance, so that it stays as it was before.

Source: PostgreSQL manual, "Recovery Control Functions". The hold ends with a restart of the server.
"""

from __future__ import annotations

from shared.ports import Node

DATABASE = "postgres"
STATE = "SELECT CASE WHEN pg_is_in_recovery() THEN pg_get_wal_replay_pause_state() END"
PAUSE = "SELECT pg_wal_replay_pause()"
RESUME = "SELECT pg_wal_replay_resume() WHERE pg_is_in_recovery()"


def is_held(standby: Node) -> bool:
    with standby.session(database=DATABASE) as session:
        return bool(session.value(STATE) == "paused")


def hold(standby: Node) -> None:
    """Ask for it; the standby stops at the next record it would replay."""
    with standby.session(database=DATABASE) as session:
        session.rows(PAUSE)


def go_on(standby: Node) -> None:
    """One that is not held is left as it is."""
    with standby.session(database=DATABASE) as session:
        session.rows(RESUME)
