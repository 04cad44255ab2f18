"""The WAL that green follows by is still on the source: what a slot has lost, nobody can send.

A stream whose slot lost its WAL is tried again by the server for ever, and neither counts an error
nor stops, so whoever waits for rows asks here first.
Source: PostgreSQL manual, "pg_replication_slots" (`wal_status`), "max_slot_wal_keep_size".
"""

from __future__ import annotations

from shared.domain.errors import Refused
from shared.domain.migration import Job
from shared.domain.objects import FORWARD
from shared.ports import Session

UNBOUNDED_BYTES = 4 << 30
"""WAL that a copy may make the source keep where the server sets no limit itself: this much, or
the size of the database."""
IS_KEPT = "SELECT wal_status <> 'lost' FROM pg_replication_slots WHERE slot_name = %s"
KEPT_BYTES = """
SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint,
    pg_database_size(current_database())
FROM pg_replication_slots
WHERE slot_name = %s AND current_setting('max_slot_wal_keep_size') = '-1'
"""


def expect(source: Session, job: Job) -> None:
    """Raises Refused when what green still needs was removed."""
    if not source.value(IS_KEPT, [FORWARD]):
        raise Refused(
            f"expected {job.source} to keep the WAL that {job.target} follows, found it removed:"
            " more was written meanwhile than max_slot_wal_keep_size allows",
            remedy="raise max_slot_wal_keep_size, or migrate when less is written",
        )


def expect_bounded(source: Session, job: Job) -> None:
    """Raises Refused when nothing but we would end what the source has to keep."""
    found = source.row(KEPT_BYTES, [FORWARD])
    if found is None:
        return
    kept_bytes, database_bytes = found
    limit_bytes = max(UNBOUNDED_BYTES, database_bytes)
    if kept_bytes > limit_bytes:
        raise Refused(
            f"{job.source} keeps {kept_bytes >> 20} MB of WAL for the copy, more than the"
            f" {limit_bytes >> 20} MB that it may where max_slot_wal_keep_size sets no limit",
            remedy="set max_slot_wal_keep_size, below the free disk, or migrate in a quiet hour",
        )
