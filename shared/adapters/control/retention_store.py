"""What is old in the control database: shown, and removed (schema/60_retention.sql has the law)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.adapters.control.connection import ControlDatabase

BOUNDS_S = (0.1, 0.5, 1.0, 5.0, 30.0, 120.0, 600.0, 3600.0, 4 * 3600.0)
"""Upper bounds of the buckets in which the durations of steps are counted."""
MOST_JOBS = 20
"""In one transaction, which no decision about a live job waits for."""
_EXPIRED = "SELECT what, found, oldest FROM bluegreen_control.expired(%s)"
_REMOVE_DETAILS = "SELECT bluegreen_control.remove_details(%s, %s, %s, %s)"
_REMOVE_OLD = "SELECT bluegreen_control.remove_old(%s)"


@dataclass(frozen=True, slots=True)
class Expired:
    """What of one kind is older than the limit."""

    what: str
    found: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class RetentionStore:
    database: ControlDatabase

    def expired(self, days: float) -> list[Expired]:
        """What `remove` would take now; kinds of which nothing is old are left out."""
        with self.database.session() as session:
            found = [Expired(*row) for row in session.rows(_EXPIRED, (days,))]
        return [each for each in found if each.found]

    def remove(self, days: float, *, by: str) -> tuple[int, int]:
        """How many jobs lost their details, and how many other rows went. It may die at any point:
        the next call goes on. `by`: who it is in the audit."""
        jobs = 0
        while removed := self._remove_details(days, by):
            jobs += removed
        with self.database.session() as session:
            return jobs, int(session.value(_REMOVE_OLD, (days,)) or 0)

    def _remove_details(self, days: float, by: str) -> int:
        with self.database.session() as session:
            given = (days, MOST_JOBS, list(BOUNDS_S), by)
            return int(session.value(_REMOVE_DETAILS, given) or 0)
