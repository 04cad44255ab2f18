"""The index of rollback points in the control database, for everyone without the directory.

The files are the truth: the backup agent writes here what it finds there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shared.adapters.control.connection import ControlDatabase
from shared.domain.rollback_point import Manifest

_UPSERT = """
    INSERT INTO bluegreen_control.rollback_point
        (name, job, database, scope, taken_at, verified_at, unused, rows, stored_bytes)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (name) DO UPDATE SET scope = excluded.scope, verified_at = excluded.verified_at,
        unused = excluded.unused, rows = excluded.rows, stored_bytes = excluded.stored_bytes,
        gone_at = NULL"""
_GONE = """
    UPDATE bluegreen_control.rollback_point SET gone_at = clock_timestamp()
    WHERE gone_at IS NULL AND name <> ALL (%s)"""
_NEWEST_VERIFIED = """
    SELECT max(verified_at) FROM bluegreen_control.rollback_point
    WHERE gone_at IS NULL AND database = %s"""


class BackupStore:
    def __init__(self, database: ControlDatabase) -> None:
        self._database = database

    def write(self, whole: Sequence[Manifest]) -> None:
        """Make the index say what the directory holds: `whole` are the points with all files."""
        with self._database.session() as session, session.transaction():
            for point in whole:
                session.execute(
                    _UPSERT,
                    (point.name, point.job, point.database, point.scope, point.taken_at,
                     point.verified_at, point.unused, point.rows, point.stored_bytes),
                )  # fmt: skip
            session.execute(_GONE, ([point.name for point in whole],))

    def newest_verified(self, database: str) -> datetime | None:
        """When the newest point that is there was verified; None: there is none."""
        with self._database.session() as session:
            found: datetime | None = session.value(_NEWEST_VERIFIED, (database,))
            return found
