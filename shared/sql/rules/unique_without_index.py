"""A unique constraint is added without an index that is there already."""

from __future__ import annotations

from shared.domain.kinds import Risk
from shared.sql.effects import Operation
from shared.sql.locks import Lock
from shared.sql.names import quoted
from shared.sql.rules.rule import Finding, Rule, by_index, table
from shared.sql.step import Step

RULE = Rule(
    id="unique-without-index",
    types=("ADD_UNIQUE",),
    risk=Risk.HIGH,
    lock=Lock.ACCESS_EXCLUSIVE,
    effect="Reads and writes of the table wait while the index is built.",
    remedy="Create the unique index CONCURRENTLY, then add the constraint USING INDEX.",
    source="PostgreSQL manual, ALTER TABLE, ADD table_constraint_using_index",
    given="""
CREATE TABLE users (id bigint PRIMARY KEY, email text, age int, org int);
INSERT INTO users SELECT g, g, g, g FROM generate_series(1, 50) g;
CREATE TABLE logs (id int NOT NULL, line text);
INSERT INTO logs SELECT generate_series(1, 50);
""",
    bad=("ALTER TABLE users ADD CONSTRAINT one_email UNIQUE (email)",),
    good=(
        """
CREATE UNIQUE INDEX CONCURRENTLY one_email ON users (email);
ALTER TABLE users ADD CONSTRAINT one_email_key UNIQUE USING INDEX one_email
        """,
    ),
)


def check(step: Step, operation: Operation) -> Finding | None:
    if operation.scans:
        message = (
            f"the index of {quoted(operation.made)} on {table(operation)} is built under the lock"
        )
        return Finding(operation, message, by_index(step, operation, "UNIQUE"))
    return None
