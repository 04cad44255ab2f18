"""Replay on the standing standby: held during a maintenance, so that it stays as it was before.

Source: PostgreSQL manual, "Recovery Control Functions". The hold ends with a restart of the server.
"""

from __future__ import annotations

from shared.domain.objects import GUARD
from shared.ports import Node, Session
from workers.replicator import fork

DATABASE = "postgres"
STATE = "SELECT CASE WHEN pg_is_in_recovery() THEN pg_get_wal_replay_pause_state() END"
PAUSE = "SELECT pg_wal_replay_pause()"
HAS_GUARD = "SELECT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = %s)"
RESUME = "SELECT pg_wal_replay_resume() WHERE pg_is_in_recovery()"


def is_held(standby: Node) -> bool:
    with standby.session(database=DATABASE) as session:
        return bool(session.value(STATE) == "paused")


def hold(standby: Node) -> None:
    """Ask for it; the standby stops at the next record it would replay."""
    with standby.session(database=DATABASE) as session:
        session.rows(PAUSE)


def has_guard(session: Session) -> bool:
    return bool(session.value(HAS_GUARD, [GUARD]))


def end_hold(standing: Node, active: Node) -> None:
    """Let it replay, and let go of the WAL that was held on both sides. One that is down has
    forgotten the hold; its guard goes when it is asked again."""
    if standing.driver.is_running():
        go_on(standing)
        with standing.session(database=DATABASE) as session:
            fork.drop_slot(session, GUARD)
    with active.session(database=DATABASE) as session:
        fork.drop_slot(session, GUARD)


def go_on(standby: Node) -> None:
    """One that is not held is left as it is."""
    with standby.session(database=DATABASE) as session:
        session.rows(RESUME)
