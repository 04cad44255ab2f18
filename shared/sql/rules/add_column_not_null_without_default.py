"""A NOT NULL column is added without a default."""

from __future__ import annotations

from shared.domain.kinds import Risk
from shared.sql.effects import Operation
from shared.sql.locks import Lock
from shared.sql.rules.rule import Finding, Rule, table
from shared.sql.step import Step

RULE = Rule(
    id="add-column-not-null-without-default",
    types=("ADD_COLUMN",),
    risk=Risk.HIGH,
    lock=Lock.ACCESS_EXCLUSIVE,
    effect="The statement fails as soon as the table holds one row.",
    remedy="Give it a default, or add it without NOT NULL, fill it, and tighten it afterwards.",
    source="PostgreSQL manual, ALTER TABLE, ADD COLUMN",
    given="""
CREATE TABLE users (id bigint PRIMARY KEY);
""",
    bad=("ALTER TABLE users ADD COLUMN plan text NOT NULL",),
    good=(
        "ALTER TABLE users ADD COLUMN plan text NOT NULL DEFAULT 'free'",
        "ALTER TABLE users ADD COLUMN plan text",
        "CREATE TABLE t (a int NOT NULL)",
    ),
)


def check(step: Step, operation: Operation) -> Finding | None:
    if "not-null-without-default" in operation.notes and not operation.rewrites:
        column = operation.columns[0]
        return Finding(
            operation, f"column {column} of {table(operation)} is NOT NULL and has no default"
        )
    return None
