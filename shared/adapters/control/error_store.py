"""Classes of errors that were seen in the servers' logs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shared.adapters.control.connection import ControlDatabase, unflushed
from shared.adapters.named_queries import named_queries

_SQL = named_queries(__file__, "errors.sql")
NEW_FOR_S = 600
"""So long after its first appearance a class is new."""


@dataclass(frozen=True, slots=True)
class SeenError:
    side: str
    code: str
    """SQLSTATE."""
    severity: str
    """ERROR, FATAL or PANIC."""
    user: str
    message: str
    occurrences: int


class ErrorStore:
    def __init__(self, database: ControlDatabase) -> None:
        self._database = database

    def note(self, database: str, seen: Iterable[SeenError]) -> None:
        rows = [
            (database, each.code, each.side, each.severity, each.user, each.message,
             each.occurrences)
            for each in seen
        ]  # fmt: skip
        if not rows:
            return
        with self._database.session() as session, unflushed(session):
            for row in rows:
                session.execute(_SQL["note"], row)

    def new(self, database: str, *, quiet_s: float) -> list[SeenError]:
        """Classes that are new and were seen in the last `quiet_s`, the oldest first."""
        with self._database.session() as session:
            rows = session.rows(_SQL["new"], (database, NEW_FOR_S, quiet_s))
            return [SeenError(*row) for row in rows]
