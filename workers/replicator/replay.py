"""Replay on the standing standby: held during a maintenance, so that it stays as it was before.

The pause holds at once and ends with a restart of the server; the delay, in its recovery settings,
holds every commit that was not replayed before, also after a restart. The delay comes second: a
standby that waits for a delay does not confirm a pause. Restarted, it streams again only once it
has replayed what it has; until then the slots on the active side hold the rest.

Source: PostgreSQL manual, "Recovery Control Functions", "recovery_min_apply_delay".
"""

from __future__ import annotations

from shared.domain.objects import GUARD
from shared.ports import Node, Session
from workers.replicator import fork

DATABASE = "postgres"
HELD = """
SELECT pg_is_in_recovery() AND (
    pg_get_wal_replay_pause_state() = 'paused'
    OR (SELECT setting <> '0' FROM pg_settings WHERE name = 'recovery_min_apply_delay'))
"""
IS_DELAYED = """
SELECT setting <> '0' FROM pg_settings WHERE name = 'recovery_min_apply_delay'
"""
DELAY = {"recovery_min_apply_delay": "20d"}
"""Longer than any maintenance; PostgreSQL takes 24 days at most."""
PAUSE = "SELECT pg_wal_replay_pause()"
HAS_GUARD = "SELECT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = %s)"
RESUME = "SELECT pg_wal_replay_resume() WHERE pg_is_in_recovery()"


def is_held(standby: Node) -> bool:
    with standby.session(database=DATABASE) as session:
        return bool(session.value(HELD))


def is_held_for_good(standby: Node) -> bool:
    """Held also after a restart."""
    with standby.session(database=DATABASE) as session:
        return bool(session.value(IS_DELAYED))


def hold(standby: Node) -> None:
    """Ask for it; the standby stops at the next record it would replay."""
    with standby.session(database=DATABASE) as session:
        session.rows(PAUSE)


def hold_for_good(standby: Node, active: Node) -> None:
    """Of one that is held already: keep it so over restarts."""
    standby.driver.set_recovery(fork.follow(active, standby) | DELAY, standby=True)
    standby.driver.reload()


def has_guard(session: Session) -> bool:
    return bool(session.value(HAS_GUARD, [GUARD]))


def end_hold(standing: Node, active: Node) -> None:
    """Let it replay, and let go of the WAL that was held on both sides. The guard of one that is
    down goes when it is asked again. A server that is no standby any more stays none."""
    is_running = standing.driver.is_running()
    if not is_running or _is_standby(standing):
        standing.driver.set_recovery(fork.follow(active, standing), standby=True)
    if is_running:
        standing.driver.reload()
        go_on(standing)
        with standing.session(database=DATABASE) as session:
            fork.drop_slot(session, GUARD)
    with active.session(database=DATABASE) as session:
        fork.drop_slot(session, GUARD)


def _is_standby(node: Node) -> bool:
    with node.session(database=DATABASE) as session:
        return bool(session.value(fork.IN_RECOVERY))


def go_on(standby: Node) -> None:
    """One that is not held is left as it is."""
    with standby.session(database=DATABASE) as session:
        session.rows(RESUME)
