"""Everything of a cutover that can be done before the pause, and the reasons not to begin one.

Any refusal here costs the application nothing: no client has been held, nothing was changed.
"""

from __future__ import annotations

import time
import uuid
from datetime import timedelta
from typing import Literal

from shared.domain.errors import Broken, Refused, Transient
from shared.ports import DirectDoor, Pooler
from shared.sql.conflicts import COUNTERS, conflicts
from workers.proxy_agent.attempt import Attempt, Way
from workers.proxy_agent.carried import Watched, expect_unchanged
from workers.proxy_agent.side import ServerSide

MARKER_LIMIT_MS = 50
"""A marker that takes longer now would take longer in the pause."""
MARKER_ROUNDS = 5
MARKER_PATIENCE_MS = 500
SLOW_TRANSACTION_MS = 250
"""PAUSE waits for open transactions while all others queue behind it (notes: a 2 s transaction
made PAUSE take 1.7 s)."""
SEQUENCE_HEADROOM = 1000
"""Values a sequence may advance between now and the pause; one that outruns it is set there."""
SLOWEST = """SELECT pid, usename, extract(epoch FROM clock_timestamp() - xact_start) * 1000
FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL
AND backend_type = 'client backend' AND pid <> pg_backend_pid()
AND clock_timestamp() - xact_start > %s * interval '1 millisecond' ORDER BY xact_start LIMIT 1"""
RENAMERS = """SELECT count(*) = 2 FROM pg_proc JOIN pg_namespace AS n ON n.oid = pronamespace
WHERE nspname = 'bluegreen_job' AND proname IN ('to_final', 'to_sync') AND pronargs = 0"""
CARRYING = "SELECT subenabled FROM pg_subscription WHERE subname = %s"
LOST = "SELECT wal_status = 'lost' FROM pg_replication_slots WHERE slot_name = %s"
PUBLISHED = "SELECT 1 FROM pg_publication WHERE pubname = %s"


def new_token() -> str:
    return f"cutover {uuid.uuid4()}"


def expect_doors(attempt: Attempt, pooler: Pooler, door: DirectDoor) -> None:
    """Both doors lead to the old side, and nobody is held."""
    if (found := pooler.routed_to()) is not attempt.old:
        raise Broken(f"expected the pooler to lead to {attempt.old}, found {found}")
    if (direct := door.routed_to()) is not attempt.old:
        raise Broken(
            f"expected the direct door to lead to {attempt.old}, found {direct or 'it held'}"
        )
    if pooler.is_paused():
        raise Transient("expected the pool to run, found it paused by somebody; trying again")


def expect_sides(attempt: Attempt, old: ServerSide, new: ServerSide) -> None:
    """One side open, one closed, the job's functions on both, the streams as they must be."""
    if old.is_fenced() or not new.is_fenced():
        raise Broken(
            f"expected {old.colour} open and {new.colour} fenced, found it otherwise; "
            "no cutover begins before exactly one side is open"
        )
    for side in (old, new):
        if not side.session.value(RENAMERS):
            raise Broken(f"expected to_final() and to_sync() on {side.colour}, found one missing")
    _expect_stream(attempt, old, new)
    if attempt.way is Way.FORWARD:
        _expect_no_conflict(new)
    if attempt.returning:
        _expect_way_back(attempt, old, new)


def _expect_stream(attempt: Attempt, old: ServerSide, new: ServerSide) -> None:
    """What the old side commits reaches the new one. Back from a target that has served there is no
    other way: one that has stopped is for a person to mend, and no try of ours may skip it."""
    stream, problem = attempt.way.stream, ""
    new.mend_streams(attempt.job)
    if new.session.value(CARRYING, (stream,)) is not True:
        problem = f"expected subscription {stream} on {new.colour} to run, found it stopped"
    elif old.session.value(LOST, (stream,)):
        problem = f"expected slot {stream} on {old.colour} to hold its WAL, found it gone"
    if problem and attempt.way is Way.BACK:
        raise Refused(
            f"{problem}: writes on {old.colour} would be lost; it goes on serving",
            remedy=f"mend the row that stopped it, ALTER SUBSCRIPTION {stream} ENABLE on "
            f"{new.colour}, and ask again; or go on with `bluegreen finish`",
        )
    if problem:
        raise Transient(problem)


def _expect_no_conflict(new: ServerSide) -> None:
    """The verdict holds for as long as each change meets the row that it was made of."""
    if met := conflicts(new.session.value(COUNTERS, (Way.FORWARD.stream,))):
        raise Broken(
            f"expected every change to find its row on {new.colour}, found {met}: somebody wrote"
            " there behind the comparison",
            remedy="find out who wrote on the target, then run the migration again",
        )


def _expect_way_back(attempt: Attempt, old: ServerSide, new: ServerSide) -> None:
    stream = attempt.way.opposite.stream
    if old.session.value(CARRYING, (stream,)) is not False:
        raise Transient(f"expected a stopped subscription {stream} on {old.colour}, found none")
    if new.session.value(PUBLISHED, (stream,)) is None:
        raise Transient(f"expected publication {stream} on {new.colour}, found none")
    if not new.drop_slot(attempt.way.opposite):
        raise Transient(f"an older slot {stream} on {new.colour} is still held; trying again")


def expect_short_transactions(old: ServerSide, policy: Literal["wait", "cancel"]) -> None:
    """No transaction is older than PAUSE, or the renames, should wait for."""
    if policy == "cancel":
        old.end_transactions_older_than(SLOW_TRANSACTION_MS)
    slowest = old.session.row(SLOWEST, (SLOW_TRANSACTION_MS,))
    if slowest is not None:
        pid, role, age_ms = slowest
        raise Transient(
            f"waiting for a transaction of {role} (pid {pid}) that is {age_ms:.0f} ms old; "
            "`--on-slow-transaction cancel` would end it"
        )


def make_ready(old: ServerSide, new: ServerSide) -> None:
    """Sequences ahead, caches warm, and the last marker quick.

    Raises Transient when replication takes longer than a pause can bear.
    """
    positions = old.mark(new_token())
    new.advance_sequences(positions, SEQUENCE_HEADROOM)
    new.warm()
    for _ in range(MARKER_ROUNDS):
        took_ms = round_trip_ms(old, new)
        if took_ms <= MARKER_LIMIT_MS:
            return
    raise Transient(
        f"expected a marker to reach {new.colour} within {MARKER_LIMIT_MS} ms, found "
        f"{took_ms:.0f} ms; trying again"
    )


def open_attempt(attempt: Attempt, old: ServerSide, new: ServerSide, watched: Watched) -> None:
    """Both sides hold it, and the slot of the stream that will lead back is there. Then all that
    comes in the pause is rehearsed where that disturbs nobody: the application is on the old
    side, so its tables are not locked there.

    Raises Transient when a lock is not to be had, as it would not be in the pause.
    """
    old.open_attempt(attempt, "old")
    new.open_attempt(attempt, "new")
    if attempt.returning:
        new.create_return_slot(attempt)
    with old.rehearsing():
        old.fence(attempt)
        positions = old.mark(new_token())
        old.sessions()
        if watched:
            expect_unchanged(old.session, watched)
    with new.rehearsing():
        _, now = new.prepare_new(attempt, positions)
        new.commit_new(attempt, now + timedelta(seconds=1))


def round_trip_ms(source: ServerSide, target: ServerSide) -> float:
    token = new_token()
    began = time.monotonic()
    source.mark(token)
    target.see_marker(token, MARKER_PATIENCE_MS)
    return (time.monotonic() - began) * 1000
