"""Whether the target still takes what the source sends, and every table is subscribed."""

from __future__ import annotations

from shared.domain.errors import Broken, Refused
from shared.domain.migration import Job
from shared.domain.objects import FORWARD
from shared.ports import Session
from shared.sql.conflicts import COUNTERS, conflicts
from workers.replicator import apply_errors, kept_wal, subscription
from workers.replicator.stream_keeper import mend

TABLES_READY = """
SELECT count(*) FILTER (WHERE srsubstate = 'r') FROM pg_subscription_rel
JOIN pg_subscription AS s ON s.oid = srsubid WHERE s.subname = %s
"""


def expect_apply(source: Session, target: Session, job: Job) -> None:
    """Raises Refused when apply stopped at a row or its WAL is gone, Broken when it met rows that
    were not what they were. One that only lost its connection is started again."""
    kept_wal.expect(source, job)
    if not subscription.is_enabled(target, FORWARD) and not mend(target, job.id):
        raise Refused(
            f"green could not take what the source sent: {apply_errors.last_apply_error(target)}",
            remedy="mend that row on the source, or the file, and run it again",
        )
    if met := conflicts(target.value(COUNTERS, [FORWARD])):
        raise Broken(f"expected no conflicts on green, found {met}; undoing from here")


def expect_tables(source: Session, target: Session) -> None:
    """Raises Broken when a published table is not subscribed."""
    published = source.value(subscription.PUBLISHED, [FORWARD])
    ready = target.value(TABLES_READY, [FORWARD])
    if ready < published:
        raise Broken(
            f"expected green to replicate {published} tables, found {ready}: a table that is not"
            " subscribed would be skipped without a word; undoing from here"
        )
