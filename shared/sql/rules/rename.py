"""Something that clients name gets another name."""

from __future__ import annotations

from shared.domain.kinds import Risk
from shared.sql.effects import Operation
from shared.sql.locks import Lock
from shared.sql.need import listed
from shared.sql.rules.rule import Finding, Rule
from shared.sql.step import Step

RULE = Rule(
    id="rename",
    in_use=False,
    types=("RENAME_*", "SET_SCHEMA"),
    risk=Risk.MEDIUM,
    lock=Lock.ACCESS_EXCLUSIVE,
    effect="Statements with the old name fail from this moment on.",
    remedy=(
        "Run it as a risky migration: both names work until the cutover, and the gate "
        "plans the clients' statements."
    ),
    source="PostgreSQL manual, ALTER TABLE, RENAME",
    given="""
CREATE TABLE users (id bigint PRIMARY KEY, email text, age int, org int);
INSERT INTO users SELECT g, g, g, g FROM generate_series(1, 50) g;
""",
    bad=(
        "ALTER TABLE users RENAME TO people",
        "ALTER TABLE users RENAME COLUMN email TO mail",
    ),
    good=("ALTER TABLE users RENAME CONSTRAINT users_pkey TO users_key",),
)


def check(step: Step, operation: Operation) -> Finding | None:
    named = operation.type.startswith("RENAME_") or operation.type == "SET_SCHEMA"
    if named and operation.breaks:
        return Finding(operation, listed(operation.breaks))
    return None
