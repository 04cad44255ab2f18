"""NOT NULL is set on a column without a validated CHECK."""

from __future__ import annotations

from shared.domain.kinds import Risk
from shared.sql.effects import Operation
from shared.sql.locks import Lock
from shared.sql.names import quoted
from shared.sql.rules.rule import Finding, Rule, alone, table
from shared.sql.step import Step

RULE = Rule(
    id="not-null-without-check",
    types=("SET_NOT_NULL",),
    risk=Risk.HIGH,
    lock=Lock.ACCESS_EXCLUSIVE,
    effect="Reads and writes of the table wait while every row is checked.",
    remedy=(
        "Add CHECK (c IS NOT NULL) NOT VALID, validate it, then SET NOT NULL: it sees the"
        " proof and scans nothing."
    ),
    source="PostgreSQL manual, ALTER TABLE, SET NOT NULL",
    given="""
CREATE TABLE users (id bigint PRIMARY KEY, email text, age int, org int);
INSERT INTO users SELECT g, g, g, g FROM generate_series(1, 50) g;
""",
    bad=("ALTER TABLE users ALTER COLUMN email SET NOT NULL",),
    good=(
        """
ALTER TABLE users ADD CONSTRAINT e CHECK (email IS NOT NULL) NOT VALID;
ALTER TABLE users VALIDATE CONSTRAINT e;
ALTER TABLE users ALTER email SET NOT NULL;
        """,
        "ALTER TABLE users ALTER id SET NOT NULL",
    ),
)


def check(step: Step, operation: Operation) -> Finding | None:
    if operation.scans:
        column, name = operation.columns[0], table(operation)
        return Finding(
            operation,
            f"{name}.{column}: no validated CHECK says that it is never NULL",
            _rewrite(name, quoted(column)) if alone(step) else "",
        )
    return None


def _rewrite(name: str, column: str) -> str:
    proof = quoted(f"{column.strip(chr(34))}_not_null")
    return (
        f"ALTER TABLE {name} ADD CONSTRAINT {proof} CHECK ({column} IS NOT NULL) NOT VALID;\n"
        f"ALTER TABLE {name} VALIDATE CONSTRAINT {proof};\n"
        f"ALTER TABLE {name} ALTER COLUMN {column} SET NOT NULL;\n"
        f"ALTER TABLE {name} DROP CONSTRAINT {proof};"
    )
