"""Checks of the control database and of what it knows: the newest rollback point, the audit."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.adapters.control import audit
from shared.adapters.postgres import PsycopgSession
from shared.domain.health import CheckResult
from shared.monitor_settings import HealthLimits
from shared.ports import Session

_NEWEST_POINT = """
    SELECT name, taken_at, verified_at FROM bluegreen_control.rollback_point
    WHERE gone_at IS NULL AND NOT unused AND database = %s
    ORDER BY taken_at DESC LIMIT 1"""
LOOKS_ARE_APART = 100
"""Times as long as a look at the whole audit takes."""
Point = tuple[str, datetime, datetime | None]


def newest_point(session: Session, database: str) -> Point | None:
    row = session.row(_NEWEST_POINT, (database,))
    return None if row is None else (row[0], row[1], row[2])


def rollback_point(newest: Point | None, limits: HealthLimits, now: datetime) -> CheckResult:
    """`newest`: the newest point that is kept; None when none was needed yet."""
    name = "rollback_point.verified"
    if newest is None:
        return CheckResult(name, True, "no rollback point was needed yet")
    point, taken_at, verified_at = newest
    if verified_at is None:
        overdue = now - taken_at > timedelta(hours=limits.unverified_h)
        return CheckResult(name, not overdue, f"{point} is not verified")
    age = now - verified_at
    said = f"{point} was verified at {verified_at:%F %H:%M} UTC"
    if age > timedelta(hours=limits.verified_h):
        said += f", {age.total_seconds() / 3600:.0f} h ago: the daily verification does not run"
    return CheckResult(
        name, age <= timedelta(hours=limits.verified_h), said, value=verified_at.timestamp()
    )


@dataclass
class AuditCheck:
    """The chain from its beginning, which grows with every job: so often that it costs a second in
    a hundred at most. A year of ten jobs a day takes a third of a second."""

    clock: Callable[[], float] = time.monotonic
    _next_at: float = field(init=False, default=float("-inf"))
    _found: CheckResult = field(init=False, default=CheckResult("audit.chain", True, ""))

    def look(self, session: PsycopgSession) -> CheckResult:
        """As of the last look, where it is not time for another."""
        began = self.clock()
        if began >= self._next_at:
            self._found = audit_chain(session)
            ended = self.clock()
            self._next_at = ended + LOOKS_ARE_APART * (ended - began)
        return self._found


def audit_chain(session: PsycopgSession) -> CheckResult:
    broken = audit.first_broken(session)
    said = "the audit's chain holds" if broken is None else f"row {broken} of the audit was changed"
    return CheckResult("audit.chain", broken is None, said, "critical", value=float(broken is None))
