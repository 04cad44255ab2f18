"""New classes of errors in the servers' JSON logs, by SQLSTATE.

A class is new for ten minutes from the first time that it was ever seen; an alert stands while it
is new and goes on. Afterwards it is known: what an application meets every day is no news.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.adapters.control.error_store import ErrorStore, SeenError
from shared.adapters.health.kept_session import KeptSession
from shared.domain.environment import Colour
from shared.domain.errors import MigrationError, Refused
from shared.domain.health import CheckResult, Severity
from shared.domain.objects import AGENT_ROLES, POOLER_ROLE, REPLICATION_ROLES
from shared.ports import Session

OURS = frozenset({*AGENT_ROLES.values(), *REPLICATION_ROLES.values(), POOLER_ROLE})
EXPECTED = ("57P01", "57P02", "57P03", "28000")
"""Sessions that were ended, a server that starts, a login that a fence refused: availability has
checks of its own, and a cutover brings these about."""
NAMED = 3
_NO_SUCH_OBJECT = ("3F000", "42883", "42501")
_AFTER = "SELECT file, at_byte, classes FROM bluegreen.errors_after(%s, %s)"


@dataclass
class ErrorLogCheck:
    sessions: Mapping[Colour, KeptSession]
    store: ErrorStore
    database: str
    quiet_s: float
    _places: dict[Colour, tuple[str | None, int | None]] = field(init=False, default_factory=dict)

    def look(self) -> CheckResult:
        """Read on where the last look ended. Raises Transient without the control database."""
        for colour, session in self.sessions.items():
            try:
                self.store.note(self.database, self._read(colour, session))
            except Refused as error:
                if error.code not in _NO_SUCH_OBJECT:
                    raise
            except MigrationError:
                continue  # it is away, which is another check's
        return result(self.store.new(self.database, quiet_s=self.quiet_s))

    def _read(self, colour: Colour, session: KeptSession) -> list[SeenError]:
        def ask(it: Session) -> list[SeenError]:
            row = it.row(_AFTER, self._places.get(colour, (None, None)))
            assert row is not None, "a function with OUT arguments has a row"
            self._places[colour] = (row[0], row[1])
            return [SeenError(colour.value, **seen) for seen in row[2] or ()]

        return [seen for seen in session.ask(ask) if _counts(seen)]


def _counts(seen: SeenError) -> bool:
    return seen.user not in OURS and not seen.code.startswith(EXPECTED)


def result(new: list[SeenError]) -> CheckResult:
    if not new:
        return CheckResult(
            "log.errors", True, "no new class of errors in the servers' logs", value=0
        )
    named = "; ".join(f"{seen.severity} {seen.code} on {seen.side}: {seen.message}" for seen in
                      new[:NAMED])  # fmt: skip
    more = f"; and {len(new) - NAMED} more" if len(new) > NAMED else ""
    severity: Severity = "critical" if any(seen.severity == "PANIC" for seen in new) else "warning"
    return CheckResult(
        "log.errors", False, f"new in the servers' logs: {named}{more}", severity, len(new)
    )
