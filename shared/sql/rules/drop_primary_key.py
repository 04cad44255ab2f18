"""A primary key is dropped."""

from __future__ import annotations

from shared.domain.kinds import Risk
from shared.sql.effects import Operation
from shared.sql.locks import Lock
from shared.sql.rules.rule import Finding, Rule, table
from shared.sql.step import Step

RULE = Rule(
    id="drop-primary-key",
    types=("DROP_CONSTRAINT",),
    risk=Risk.HIGH,
    lock=Lock.ACCESS_EXCLUSIVE,
    effect="Rows can be doubled, and replication of updates stops without a replica identity.",
    remedy="Add the new key first, or do both in one risky migration.",
    source="PostgreSQL manual, Logical Replication, Publication",
    given="""
CREATE TABLE users (id bigint PRIMARY KEY, email text, age int, org int);
INSERT INTO users SELECT g, g, g, g FROM generate_series(1, 50) g;
""",
    bad=("ALTER TABLE users DROP CONSTRAINT users_pkey",),
    good=(
        (
            "ALTER TABLE users ADD CONSTRAINT c CHECK (age > 0) NOT VALID; ALTER TABLE "
            "users DROP CONSTRAINT c"
        ),
    ),
)


def check(step: Step, operation: Operation) -> Finding | None:
    if "drops-primary-key" in operation.notes:
        return Finding(operation, f"{table(operation)} has no primary key any more")
    return None
