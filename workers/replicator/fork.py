"""The fork: where and how the standing standby leaves the source's history and becomes green.

Law: the standby has replayed exactly the commits that begin before the fork LSN, and the logical
slot on the source sends exactly those that begin at it or later. No gap, no overlap. For that the
standby stands still from before the slot exists until it is told where to stop.

The fork is one row of `bluegreen_job.fork` on the source, written before it is used:
no LSN: the standby is a standby; LSN: it is stopped, the slot exists; armed: it knows its target.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shared.domain.errors import Transient
from shared.domain.objects import FORWARD, GUARD, STANDBY_SLOTS
from shared.ports import Node, Session

STOP_LIMIT_S = 30.0
START_LIMIT_S = 60.0
CHECKPOINT_LIMIT_S = 3.0
SLOT_LIMIT_S = 3.0
"""Creating a logical slot waits for every write transaction that is open at that moment."""
OLD_TRANSACTION_S = 1.0
SMALL_LAG_BYTES = 16 * 1024 * 1024
CANCELLED = "57014"

OPEN_FORK = "INSERT INTO bluegreen_job.fork DEFAULT VALUES ON CONFLICT DO NOTHING"
READ_FORK = "SELECT lsn::text, armed FROM bluegreen_job.fork"
FORGET_LSN = "UPDATE bluegreen_job.fork SET lsn = NULL, armed = false"
NOTE_LSN = "UPDATE bluegreen_job.fork SET lsn = %s"
NOTE_ARMED = "UPDATE bluegreen_job.fork SET armed = true"
NOTE_WRITABLE = """
UPDATE bluegreen_job.fork SET writable_at = clock_timestamp() WHERE writable_at IS NULL
"""
SECONDS_TO_WRITABLE = """
SELECT extract(epoch FROM writable_at - started_at)::float8 FROM bluegreen_job.fork
"""
OLD_WRITERS = """
SELECT pid, usename, round(extract(epoch FROM clock_timestamp() - xact_start)) AS age_s
FROM pg_stat_activity
WHERE backend_xid IS NOT NULL AND xact_start < clock_timestamp() - make_interval(secs => %s)
ORDER BY xact_start
"""
DROP_SLOT = (
    "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s"
)
CREATE_GUARD = """
SELECT pg_create_physical_replication_slot(%s, true)
WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = %s)
"""
CREATE_LOGICAL = "SELECT lsn::text FROM pg_create_logical_replication_slot(%s, 'pgoutput')"
LAG_BYTES = """
SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::bigint
FROM pg_replication_slots WHERE slot_name = %s
"""
REPLAY_LAG = """
SELECT pg_wal_lsn_diff(%s::pg_lsn, coalesce(pg_last_wal_replay_lsn(), '0/0'))::bigint
"""
IN_RECOVERY = "SELECT pg_is_in_recovery()"
JOB_SCHEMA = "SELECT to_regclass('bluegreen_job.fork') IS NOT NULL"

State = Literal["standby", "forking", "forked", "down"]


@dataclass(frozen=True, slots=True)
class Fork:
    """The row on the source; `lsn` is None while there is no fork point."""

    lsn: str | None = None
    armed: bool = False


def read_fork(source: Session) -> Fork:
    if not source.value(JOB_SCHEMA):
        return Fork()
    found = source.row(READ_FORK)
    return Fork() if found is None else Fork(found[0], found[1])


def state_of(target: Node, fork: Fork) -> State:
    """What the target is right now. Raises Transient when it runs and cannot be asked."""
    if not target.driver.is_running():
        return "down"
    with target.session(database="postgres") as session:
        if not session.value(IN_RECOVERY):
            return "forked"
    return "forking" if fork.armed else "standby"


def ensure_guard(session: Session) -> None:
    """Hold this server's WAL from now on: pg_rewind reads it back to before the fork."""
    session.execute(CREATE_GUARD, [GUARD, GUARD])


def drop_slot(session: Session, slot: str) -> None:
    """Absent is fine. Raises Transient while something reads from it."""
    session.execute(DROP_SLOT, [slot])


def open_writers(source: Session) -> str:
    """Who holds a write transaction open for longer than a moment; empty when nobody does."""
    found = source.rows(OLD_WRITERS, [OLD_TRANSACTION_S])
    return ", ".join(f"pid {pid} ({user or 'a process of the server'}, {age} s)"
                     for pid, user, age in found)  # fmt: skip


def quiesce(source: Session, target: Node) -> str:
    """Stop the standby where a fork may begin; empty when it stands, else what it waits for."""
    if writers := open_writers(source):
        return f"waits for open write transactions: {writers}"
    here = source.value("SELECT pg_current_wal_lsn()::text")
    with target.session(database="postgres", limit_s=CHECKPOINT_LIMIT_S) as standby:
        lag_bytes = standby.value(REPLAY_LAG, [here])
        if lag_bytes > SMALL_LAG_BYTES:
            return f"waits for the standby, which is {lag_bytes} bytes behind"
        ensure_guard(standby)
        try:
            standby.execute("CHECKPOINT")  # what is written now need not be written at the stop
        except Transient as error:
            if error.code != CANCELLED:
                raise
            return "waits for the standby's checkpoint"
    target.driver.set_access("closed")
    target.driver.stop(limit_s=STOP_LIMIT_S)
    return ""


def take_fork_point(source: Session, limited: Session) -> str | None:
    """Create the logical slot and write its LSN down; None when open transactions hold it up.

    `limited` carries the statement limit. The standby is stopped and stays so. The note's own
    commit is the record behind the LSN without which recovery on an idle source would not end.
    """
    drop_slot(source, FORWARD)  # one without a noted LSN is from a run that died in between
    try:
        lsn = str(limited.value(CREATE_LOGICAL, [FORWARD]))
    except Transient as error:
        if error.code != CANCELLED:
            raise
        return None
    source.execute(NOTE_LSN, [lsn])
    return lsn


def arm(source: Session, source_node: Node, target: Node, lsn: str) -> None:
    """Tell the stopped standby where its history ends; only then note that it may be started."""
    target.driver.set_recovery(follow(source_node, target) | recovery_target(lsn), standby=True)
    source.execute(NOTE_ARMED)


def recovery_target(lsn: str) -> dict[str, str]:
    """Replay what begins before that LSN, and be writable from there."""
    return {
        "recovery_target_lsn": lsn,
        "recovery_target_inclusive": "false",
        "recovery_target_action": "promote",
        "recovery_target_timeline": "latest",
    }


def follow(active: Node, standby: Node) -> dict[str, str]:
    """Recovery settings of a standby that streams from `active` through its own slot."""
    return {
        "primary_conninfo": active.replication_conninfo(database=None),
        "primary_slot_name": STANDBY_SLOTS[standby.colour.value],
    }
