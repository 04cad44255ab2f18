"""The measured cases of tests/data/validator, whose README explains the fields."""

from __future__ import annotations

import json
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Case:
    id: str
    setup: str
    sql: str
    version: int
    expect: dict[str, Any]
    in_one_transaction: dict[str, Any] | None = None


@cache
def cases() -> tuple[Case, ...]:
    """Every case on every version that it was measured on, or set for by hand."""
    found = []
    for line in (DATA / "cases.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        for version in VERSIONS:
            expect = row["expect"] | row["expect_on"].get(str(version), {})
            together = row["in_one_transaction"] if version == 18 else None
            found.append(Case(row["id"], row["setup"], row["sql"], version, expect, together))
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
