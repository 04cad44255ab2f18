"""An index is created without CONCURRENTLY on a table in use."""

from __future__ import annotations

import re

from shared.domain.kinds import Risk
from shared.sql.effects import Operation
from shared.sql.locks import Lock
from shared.sql.rules.rule import Finding, Rule, table
from shared.sql.step import Step

RULE = Rule(
    id="index-without-concurrently",
    types=("CREATE_INDEX",),
    risk=Risk.MEDIUM,
    lock=Lock.SHARE,
    effect="Writes of the table wait while the index is built.",
    remedy="CREATE INDEX CONCURRENTLY, outside of a transaction.",
    source="PostgreSQL manual, CREATE INDEX, Building Indexes Concurrently",
    given="""
CREATE TABLE users (id bigint PRIMARY KEY, email text, age int, org int);
INSERT INTO users SELECT g, g, g, g FROM generate_series(1, 50) g;
""",
    bad=(
        "CREATE INDEX users_age ON users (age)",
        "CREATE UNIQUE INDEX ON users (email)",
    ),
    good=(
        "CREATE INDEX CONCURRENTLY users_age ON users (age)",
        "CREATE TABLE t (a int); CREATE INDEX ON t (a)",
    ),
)


def check(step: Step, operation: Operation) -> Finding | None:
    if operation.scans:
        text, found = FORM.subn(r"\1CONCURRENTLY ", step.statement.text, count=1)
        message = f"writers of {table(operation)} wait for the index"
        return Finding(operation, message, f"{text};" if found else "")
    return None


FORM = re.compile(r"^(CREATE\s+(?:UNIQUE\s+)?INDEX\s+)", re.IGNORECASE)
