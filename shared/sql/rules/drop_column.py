"""A column is dropped."""

from __future__ import annotations

from shared.domain.kinds import Risk
from shared.sql.effects import Operation
from shared.sql.locks import Lock
from shared.sql.need import listed
from shared.sql.rules.rule import Finding, Rule, table
from shared.sql.step import Step

RULE = Rule(
    id="drop-column",
    types=("DROP_COLUMN",),
    risk=Risk.HIGH,
    lock=Lock.ACCESS_EXCLUSIVE,
    effect=(
        "Its values are gone, its indexes and constraints go silently, and statements "
        "that name it fail."
    ),
    remedy=(
        "Stop using it first; then drop it in a risky migration, with a `down` where the "
        "values matter."
    ),
    source="PostgreSQL manual, ALTER TABLE, DROP COLUMN",
    given="""
CREATE TABLE users (id bigint PRIMARY KEY, email text, age int, org int);
INSERT INTO users SELECT g, g, g, g FROM generate_series(1, 50) g;
""",
    bad=("ALTER TABLE users DROP COLUMN email",),
    good=(
        "ALTER TABLE users DROP COLUMN IF EXISTS fax",
        "CREATE TABLE t (a int, b int); ALTER TABLE t DROP COLUMN b",
    ),
)


def check(step: Step, operation: Operation) -> Finding | None:
    if operation.destroys:
        also = f"; with it go {listed(operation.gone)}" if operation.gone else ""
        return Finding(operation, f"{table(operation)}.{operation.columns[0]} is gone{also}")
    return None
