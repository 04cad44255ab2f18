"""The measured cases of tests/data/validator and how well the validator agrees with them, per fact.

`python -m tests.support.validator_cases` prints the agreement and every disagreement
(`make validator-cases`). The fields are explained in tests/data/validator/README.md.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from shared.sql.analysis import build
from shared.sql.catalog import Catalog
from shared.sql.report import Report
from shared.sql.validate import validate

DATA = Path(__file__).parent.parent / "data" / "validator"
VERSIONS = (15, 16, 18)
ROLES = "CREATE ROLE app_rw; CREATE ROLE app_ro; CREATE ROLE reporting;\n"
"""What the cases take to exist besides their setup (tests/data/validator/README.md)."""
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
)


@dataclass(frozen=True)
class Case:
    id: str
    setup: str
    sql: str
    version: int
    expect: dict[str, Any]


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


@cache
def cases() -> tuple[Case, ...]:
    """Every case on every version that it was measured on, or set for by hand."""
    found = []
    for line in (DATA / "cases.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        for version in VERSIONS:
            expect = row["expect"] | row["expect_on"].get(str(version), {})
            found.append(Case(row["id"], row["setup"], row["sql"], version, expect))
    return tuple(found)


@cache
def catalog(setup: str, version: int) -> Catalog:
    built, skipped = build(ROLES + setup, version=version)
    assert not skipped, skipped
    return built


def report(case: Case, *, with_schema: bool = True) -> Report:
    return validate(
        case.sql,
        file=f"{case.id}.sql",
        server_version=case.version,
        catalog=catalog(case.setup, case.version) if with_schema else None,
    )


def compare(case: Case, found: Report) -> Iterator[tuple[str, object, object]]:
    """(fact, expected, found) of every fact that is graded for this case.

    What is refused although a server would run it (`forbidden`) does not count as invalid, and
    rows in `setup` that break a file (`data`) cannot be known from a schema.
    """
    expect = case.expect
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


def score(which: Iterator[Case] | tuple[Case, ...], *, with_schema: bool = True) -> Score:
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


def main() -> None:
    for title, with_schema in (("with the schema", True), ("from the text alone", False)):
        result = score(cases(), with_schema=with_schema)
        print(f"Agreement with the measured cases, {title}:")
        for fact in FACTS:
            if result.graded[fact]:
                counts = f"{result.agreed[fact]:4} of {result.graded[fact]:4}"
                print(f"  {fact:22} {counts}  {100 * result.share(fact):5.1f} %")
        if with_schema:
            for each in result.disagreements:
                print(f"  {each.case} on {each.version}: {each.fact}")
                print(f"      expected {each.expected}")
                print(f"      found    {each.found}")


if __name__ == "__main__":
    main()
