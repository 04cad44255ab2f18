"""A table with rows is dropped."""

from __future__ import annotations

from shared.domain.kinds import Risk
from shared.sql.effects import Operation
from shared.sql.locks import Lock
from shared.sql.need import listed
from shared.sql.rules.rule import Finding, Rule
from shared.sql.step import Step

RULE = Rule(
    id="drop-table",
    types=(
        "DROP_TABLE",
        "DROP_SCHEMA",
    ),
    risk=Risk.HIGH,
    lock=Lock.ACCESS_EXCLUSIVE,
    effect="Its rows are gone, and statements that name it fail.",
    remedy="Run it as a risky migration: blue keeps the table until the rollback window ends.",
    source="PostgreSQL manual, DROP TABLE",
    given="""
CREATE TABLE users (id bigint PRIMARY KEY, email text, age int, org int);
INSERT INTO users SELECT g, g, g, g FROM generate_series(1, 50) g;
""",
    bad=(
        "DROP TABLE users",
        "DROP TABLE IF EXISTS users CASCADE",
    ),
    good=("CREATE TABLE t (a int); DROP TABLE t",),
)


def check(step: Step, operation: Operation) -> Finding | None:
    if operation.destroys:
        return Finding(operation, f"gone: {listed(operation.destroys)}")
    return None
