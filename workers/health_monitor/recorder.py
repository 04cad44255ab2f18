"""The running record of the traffic: what passed through the pooler from look to look."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from shared.adapters.control.baseline_store import BaselineStore
from shared.adapters.health.checks import HealthChecks
from shared.domain.baseline import Interval
from shared.domain.health import CheckResult
from shared.domain.pooler import PoolerFacts

FORGET_EVERY = 900
"""Looks between two times that old rows are removed."""


@dataclass
class Recorder:
    checks: HealthChecks
    store: BaselineStore
    database: str
    _before: tuple[float, PoolerFacts] | None = field(init=False, default=None)
    _looks: int = field(init=False, default=0)

    def after_look(self, results: Sequence[CheckResult]) -> None:
        """Raises Transient without the control database."""
        facts, now = self.checks.pooler.facts, time.monotonic()
        before, self._before = self._before, None if facts is None else (now, facts)
        serving = [c for c, state in self.checks.servers.states.items() if state.takes_writes]
        if before is None or facts is None or len(serving) != 1:
            return
        door = next((r.value for r in results if r.name == "door.pooled" and r.healthy), None)
        seen = interval(before[1], facts, seconds=now - before[0], side=serving[0], door_ms=door)
        if seen is not None:
            self.store.note(self.database, seen)
        self._looks += 1
        if self._looks % FORGET_EVERY == 0:
            self.store.forget_old(self.database)


def interval(
    before: PoolerFacts, after: PoolerFacts, *, seconds: float, side: str, door_ms: float | None
) -> Interval | None:
    """What passed between the two; None when the pooler was started anew between them."""
    transactions = after.transactions - before.transactions
    if transactions < 0:
        return None
    each = max(1, transactions) * 1000
    return Interval(
        at=datetime.now(UTC),
        side=side,
        seconds=round(seconds, 3),
        transactions=transactions,
        mean_ms=round((after.transactions_us - before.transactions_us) / each, 4),
        waiting_ms=round((after.waited_us - before.waited_us) / each, 4),
        door_ms=door_ms,
    )
