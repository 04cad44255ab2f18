"""An index is dropped without CONCURRENTLY."""

from __future__ import annotations

import re

from shared.domain.kinds import Risk
from shared.sql.effects import Operation
from shared.sql.locks import Lock
from shared.sql.rules.rule import Finding, Rule, alone, table
from shared.sql.step import Step

RULE = Rule(
    id="drop-index-without-concurrently",
    types=("DROP_INDEX",),
    risk=Risk.LOW,
    lock=Lock.ACCESS_EXCLUSIVE,
    effect="The table is locked for an instant; a long query makes everybody wait behind it.",
    remedy="DROP INDEX CONCURRENTLY, outside of a transaction.",
    source="PostgreSQL manual, DROP INDEX, CONCURRENTLY",
    given="""
CREATE TABLE users (id bigint PRIMARY KEY, email text, age int, org int);
INSERT INTO users SELECT g, g, g, g FROM generate_series(1, 50) g;
CREATE INDEX users_age ON users (age);
""",
    bad=("DROP INDEX users_age",),
    good=("DROP INDEX CONCURRENTLY users_age",),
)


def check(step: Step, operation: Operation) -> Finding | None:
    text, found = FORM.subn(r"\1CONCURRENTLY ", step.statement.text, count=1)
    message = f"{table(operation)} is locked against everybody while its index goes"
    return Finding(operation, message, f"{text};" if found and alone(step) else "")


FORM = re.compile(r"^(DROP\s+INDEX\s+)", re.IGNORECASE)
