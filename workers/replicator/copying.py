"""Green by a copy: where only addresses are known, schema and rows travel through SQL.

Law: the copy ends at one point of the source's history. Until then it is an ordinary subscription
with an initial copy, tables side by side; then that stream is closed where it stands, and the slot
goes on from there. So green is what a fork would have made it, and all that follows is the same.

The point is noted in `bluegreen_job.fork` on the source before the subscription is dropped, whose
progress is the only other place where it stands. No LSN: rows are copied; LSN: they are there.

The file runs after the copy, not before it: over rows that are there it does what it does on a
fork, data changes and errors included, and indexes are built once (docs/adr/0025).
Source: PostgreSQL manual, "Logical Replication: Initial Snapshot", "Replication Progress Tracking".
"""

from __future__ import annotations

from shared.domain.errors import Broken, Refused, Transient
from shared.domain.identifiers import ident
from shared.domain.migration import Job
from shared.domain.objects import COPY, FORWARD
from shared.ports import Pending, Session
from workers.replicator import (
    apply_errors,
    copy_progress,
    copy_publication,
    fork,
    kept_wal,
    marker,
    resync,
    subscription,
)
from workers.replicator.poll import holds_within

MARKER_LIMIT_S = 1.0
STOP_LIMIT_S = 3.0
TOKEN = "SELECT 'copy ' || oid || ' ' FROM pg_subscription WHERE subname = %s"
HAS_OUR_MARKER = """
SELECT EXISTS (SELECT FROM bluegreen_job.marker AS m JOIN pg_subscription AS s ON s.subname = %s
               WHERE starts_with(m.token, 'copy ' || s.oid || ' '))
"""
"""One of this subscription's, written when every table followed. Without it the origin may be
behind what the workers of single tables applied: where only their rows came, it does not move."""
MAY_START_AGAIN = "SELECT bluegreen.may_start_again(%s)"
PUBLISHED = "SELECT count(*) FROM pg_get_publication_tables(%s)"
READY = """
SELECT count(*) FILTER (WHERE srsubstate = 'r') FROM pg_subscription_rel
JOIN pg_subscription AS s ON s.oid = srsubid WHERE s.subname = %s
"""
RUNS = "SELECT EXISTS (SELECT FROM pg_stat_subscription WHERE subname = %s AND pid IS NOT NULL)"
FLUSH = "SELECT pg_logical_emit_message(true, 'bluegreen', '')"
REACHED = """
SELECT o.remote_lsn::text FROM pg_replication_origin_status AS o
JOIN pg_subscription AS s ON o.external_id = 'pg_' || s.oid
WHERE s.subname = %s AND o.remote_lsn > '0/0'
"""
NOTE_END = "UPDATE bluegreen_job.fork SET lsn = %s, armed = true WHERE lsn IS NULL"
SEQUENCES = """
SELECT n.nspname, c.relname, c.oid::bigint FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.relkind = 'S' AND c.relpersistence <> 't'
"""
TWIN = "INSERT INTO bluegreen_job.sequence_twin (theirs, ours) VALUES (%s, %s)"


def take_slot(source: Session, limited: Session) -> str:
    """The slot that the copy and the stream read; empty when it stands, else what it waits for."""
    if writers := fork.open_writers(source):
        return f"waits for open write transactions: {writers}"
    try:
        limited.value(fork.CREATE_LOGICAL, [FORWARD])
    except Transient as error:
        if error.code != fork.CANCELLED:
            raise
        return f"waits for open write transactions: {fork.open_writers(source)}"
    return ""


def begin(target: Session, conninfo: str) -> None:
    subscription.create_copying(target, COPY, slot=FORWARD, conninfo=conninfo)


def look(source: Session, target: Session, job: Job) -> Pending | None:
    """How far it is; None once green has every row up to the noted point.

    Raises Refused when a row cannot be taken, or the source would have to keep too much WAL.
    """
    kept_wal.expect(source, job)
    kept_wal.expect_bounded(source, job)
    is_enabled = subscription.is_enabled(target, COPY)
    if is_enabled:
        resync.copy_anew(source, target, job)
    progress = copy_progress.read(source, target)
    if not progress.is_ready or copy_publication.left_out(source):
        if not is_enabled:
            _start_again(target, job)
        return Pending(progress.sentence(), progress.share())
    if is_enabled:
        if not _marker_arrives(source, target):
            return Pending(f"{progress.sentence()}, {_behind(source)}", progress.share())
        target.execute(f"ALTER SUBSCRIPTION {ident(COPY)} DISABLE")
    elif not target.value(HAS_OUR_MARKER, [COPY]):
        _start_again(target, job)
        return Pending(progress.sentence(), progress.share())
    if not holds_within(STOP_LIMIT_S, lambda: not target.value(RUNS, [COPY])):
        return Pending("the copy's stream comes to its end", progress.share())
    _note_end(source, target, job)
    return None


def drop(target: Session) -> None:
    """The subscription, with the slots that its tables may have on the source; FORWARD stays."""
    subscription.drop(target, COPY)


def pair_sequences(source: Session, target: Session) -> None:
    """Write down on both sides which sequence is which: identifiers differ, and names will."""
    here = {(schema, name): oid for schema, name, oid in source.rows(SEQUENCES)}
    there = {(schema, name): oid for schema, name, oid in target.rows(SEQUENCES)}
    both = sorted(here.keys() & there.keys())
    for session, ours, theirs in ((source, here, there), (target, there, here)):
        with session.transaction():
            session.execute("DELETE FROM bluegreen_job.sequence_twin")
            for name in both:
                session.execute(TWIN, [theirs[name], ours[name]])


def _start_again(target: Session, job: Job) -> None:
    """Only a lost connection is nobody's fault; everything else would come again."""
    with target.transaction():
        if target.value(MAY_START_AGAIN, [COPY]):
            subscription.enable(target, COPY)
            return
    why = apply_errors.last_apply_error(target)
    raise Refused(
        f"{job.target} could not take what {job.source} has: {why}",
        remedy="mend that row on the source, and run the file again",
    )


def _marker_arrives(source: Session, target: Session) -> bool:
    name = str(target.value(TOKEN, [COPY]))
    return marker.arrives(source, target, name, limit_s=MARKER_LIMIT_S)


def _behind(source: Session) -> str:
    return f"{source.value(fork.LAG_BYTES, [FORWARD]) or 0} bytes behind"


def _note_end(source: Session, target: Session, job: Job) -> None:
    """Apply does not wait for the disk: what it applied is made durable before it is relied on."""
    published, ready = source.value(PUBLISHED, [COPY]), target.value(READY, [COPY])
    if published != ready:
        raise Broken(
            f"expected all {published} tables of {job.source} to follow on {job.target}, found"
            f" {ready}; undoing from here"
        )
    target.rows(FLUSH)
    reached = target.value(REACHED, [COPY])
    if reached is None:  # it never applied anything: start it, and let the next marker through
        subscription.enable(target, COPY)
        raise Transient(f"expected {job.target} to have applied something, found nothing yet")
    pair_sequences(source, target)
    if source.execute(NOTE_END, [reached]) == 0 and fork.read_fork(source).lsn != reached:
        raise Broken(
            f"expected the copy of {job.source} to end at {reached}, found another end noted;"
            " undoing from here"
        )
