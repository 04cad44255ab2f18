"""How well the validator agrees with the measured cases, per fact.

`python -m tests.support.validator_agreement` prints the agreement and every disagreement
(`make validator-cases`).
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from shared.sql.report import Report
from tests.support.hazards import FALSE_ALARMS, RECALL, TEXT_RECALL, hazards
from tests.support.validator_cases import Case, cases, report

FACTS = (
    "valid",
    "invalid_kind",
    "operations",
    "rewritten",
    "locks",
    "blocked_read_tables",
    "blocked_write_tables",
    "destructive",
    "bulk_dml",
    "breaks_clients",
    "needs",
    "lock_timeout_set",
    "requires_extensions",
    "in_one_transaction",
)
FLOOR = 0.99
"""Least agreement of every fact, with the schema."""


@dataclass(frozen=True)
class Disagreement:
    case: str
    version: int
    fact: str
    expected: object
    found: object


@dataclass
class Score:
    graded: Counter[str] = field(default_factory=Counter)
    agreed: Counter[str] = field(default_factory=Counter)
    disagreements: list[Disagreement] = field(default_factory=list)

    def share(self, fact: str) -> float:
        return self.agreed[fact] / self.graded[fact]


def compare(case: Case, found: Report) -> Iterator[tuple[str, object, object]]:
    """(fact, expected, found) of every fact that is graded for this case.

    What is refused although a server would run it (`forbidden`) does not count as invalid, and
    rows in `setup` that break a file (`data`) cannot be known from a schema.
    """
    expect = case.expect
    if case.in_one_transaction is not None:
        wanted = {k: v for k, v in case.in_one_transaction.items() if k in _TOGETHER}
        yield "in_one_transaction", wanted, _together(found, wanted)
    kinds = {error.kind for error in found.errors} - {"forbidden"}
    if expect["valid"] is not None and expect.get("invalid_kind") != "data":
        yield "valid", expect["valid"], not kinds
    if expect.get("operations") is not None:
        yield "operations", expect["operations"], [o.type for o in found.operations]
    if expect["valid"] is False:
        kind = expect.get("invalid_kind")
        if kind not in (None, "data"):
            yield "invalid_kind", kind, kind if kind in kinds else sorted(kinds)
        return
    facts = {
        "rewritten": list(found.rewrites_tables),
        "locks": found.locks,
        "blocked_read_tables": list(found.blocks_reads_of),
        "blocked_write_tables": list(found.blocks_writes_of),
        "destructive": found.destructive,
        "bulk_dml": found.bulk_dml,
        "breaks_clients": found.breaks_clients,
        "lock_timeout_set": found.lock_timeout_set,
        "requires_extensions": list(found.requires_extensions),
    }
    for fact, value in facts.items():
        if expect.get(fact) is not None:
            yield fact, expect[fact], value
    if expect.get("needs_ok"):
        wanted = expect["needs_ok"]
        yield "needs", wanted, wanted if found.migration_type in wanted else found.migration_type


_TOGETHER = {
    "valid": "is_valid",
    "locks": "locks",
    "rewritten": "rewrites_tables",
    "blocked_read_tables": "blocks_reads_of",
    "blocked_write_tables": "blocks_writes_of",
}


def _together(found: Report, wanted: dict[str, Any]) -> dict[str, Any] | None:
    """The same facts of the report; of a file that fails in one transaction, only that."""
    if found.in_one_transaction is None:
        return None
    if wanted.get("valid") is False and not found.in_one_transaction.is_valid:
        return wanted
    facts = {key: getattr(found.in_one_transaction, _TOGETHER[key]) for key in wanted}
    return {key: list(v) if isinstance(v, tuple) else v for key, v in facts.items()}


def score(which: Iterable[Case], *, with_schema: bool = True) -> Score:
    total = Score()
    for case in which:
        for fact, expected, found in compare(case, report(case, with_schema=with_schema)):
            total.graded[fact] += 1
            if expected == found:
                total.agreed[fact] += 1
            else:
                total.disagreements.append(
                    Disagreement(case.id, case.version, fact, expected, found)
                )
    return total


def main() -> int:
    """Print the agreement; 1 where one is below its bound."""
    below = []
    for title, with_schema in (("with the schema", True), ("from the text alone", False)):
        result = score(cases(), with_schema=with_schema)
        print(f"Agreement with the measured cases, {title}:")
        for fact in FACTS:
            if result.graded[fact]:
                counts = f"{result.agreed[fact]:4} of {result.graded[fact]:4}"
                print(f"  {fact:22} {counts}  {100 * result.share(fact):5.1f} %")
        below += _hazard_lines(with_schema=with_schema)
        if with_schema:
            below += [fact for fact in FACTS if result.share(fact) < FLOOR]
            for each in result.disagreements:
                print(f"  {each.case} on {each.version}: {each.fact}")
                print(f"      expected {each.expected}")
                print(f"      found    {each.found}")
    if below:
        print(f"below the bound: {', '.join(below)}")
    return 1 if below else 0


def _hazard_lines(*, with_schema: bool) -> list[str]:
    """Print recall and false alarms; the names of those outside their bounds."""
    found = hazards(cases(), with_schema=with_schema)
    least = RECALL if with_schema else TEXT_RECALL
    print(f"  hazardous files found  {found.found:4} of {found.hazardous:4}"
          f"  {100 * found.recall:5.1f} %")  # fmt: skip
    print(f"  harmless suspected     {found.suspected:4} of {found.harmless:4}"
          f"  {100 * found.false_alarms:5.1f} %")  # fmt: skip
    below = ["recall"] if found.recall < least else []
    if with_schema and found.false_alarms > FALSE_ALARMS:
        below.append("false alarms")
    return below


if __name__ == "__main__":
    sys.exit(main())
