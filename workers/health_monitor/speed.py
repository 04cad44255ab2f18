"""How fast the application is: one look at the pooler's totals and at a server's statements.

Two looks make a profile. The first is of preflight, the second of the beginning of `confirm` (on
the side that served before), the third and fourth of its begin and end on the side that serves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.adapters.health.statement_statistics import statements_of
from shared.domain.baseline import Baseline, Statements, profile
from shared.domain.errors import MigrationError, Transient
from shared.domain.pooler import PoolerFacts
from shared.ports import Node

KEY = "impact"


def no_baseline() -> Baseline | None:
    return None


@dataclass(frozen=True)
class Speed:
    read_pooler: Callable[[], PoolerFacts]
    now: Callable[[], datetime]
    baseline: Callable[[], Baseline | None] = no_baseline

    def look(self, node: Node, database: str) -> dict[str, Any]:
        """JSON that `between` understands. What cannot be asked is left out."""
        seen: dict[str, Any] = {"at": self.now().isoformat()}
        try:
            seen["statements"] = statements_of(node, database)
            facts = self.read_pooler()
            seen["pooler"] = [facts.transactions, facts.transactions_us]
        except Transient:
            pass
        return seen

    def usual_ms(self) -> float | None:
        """Of a transaction, by the stored baseline; None without one."""
        try:
            found = self.baseline()
        except MigrationError:
            return None
        return None if found is None or found.transaction_ms is None else found.transaction_ms.p95


def queries_between(first: Mapping[str, Any], last: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The dearest statements between two looks at one server."""
    seconds = (
        datetime.fromisoformat(last["at"]) - datetime.fromisoformat(first["at"])
    ).total_seconds()
    found = profile(_statements(first), _statements(last), seconds=seconds)
    return [each.model_dump() for each in found]


def transaction_ms(first: Mapping[str, Any], last: Mapping[str, Any]) -> float | None:
    """Mean of a transaction between two looks; None when none passed or it is not known."""
    if not first.get("pooler") or not last.get("pooler"):
        return None
    passed = last["pooler"][0] - first["pooler"][0]
    if passed < 1:
        return None
    took_us = float(last["pooler"][1] - first["pooler"][1])
    return took_us / float(passed) / 1000


def _statements(look: Mapping[str, Any]) -> Statements:
    kept = look.get("statements") or {}
    return {text: (int(calls), float(ms)) for text, (calls, ms) in kept.items()}
