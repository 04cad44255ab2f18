"""A CHECK is added and checked at once."""

from __future__ import annotations

from shared.domain.kinds import Risk
from shared.sql.effects import Operation
from shared.sql.locks import Lock
from shared.sql.rules.rule import Finding, Rule, table, validated_later
from shared.sql.step import Step

RULE = Rule(
    id="check-without-not-valid",
    types=("ADD_CHECK",),
    risk=Risk.HIGH,
    lock=Lock.ACCESS_EXCLUSIVE,
    effect="Reads and writes of the table wait while every row is checked.",
    remedy="Add it NOT VALID, then VALIDATE it in a statement of its own, which blocks nobody.",
    source="PostgreSQL manual, ALTER TABLE, ADD table_constraint NOT VALID",
    given="""
CREATE TABLE users (id bigint PRIMARY KEY, email text, age int, org int);
INSERT INTO users SELECT g, g, g, g FROM generate_series(1, 50) g;
""",
    bad=(
        "ALTER TABLE users ADD CONSTRAINT adult CHECK (age > 0)",
        "ALTER TABLE users ADD CHECK (age > 0)",
    ),
    good=("ALTER TABLE users ADD CONSTRAINT adult CHECK (age > 0) NOT VALID",),
)


def check(step: Step, operation: Operation) -> Finding | None:
    if operation.scans:
        message = f"{operation.made} on {table(operation)}: every row is checked now"
        return Finding(operation, message, validated_later(step, operation))
    return None
