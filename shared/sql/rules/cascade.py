"""CASCADE takes other objects along."""

from __future__ import annotations

from shared.domain.kinds import Risk
from shared.sql.effects import Operation
from shared.sql.locks import Lock
from shared.sql.need import listed
from shared.sql.rules.rule import Finding, Rule
from shared.sql.step import Step

RULE = Rule(
    id="cascade",
    in_use=False,
    stands_out=True,
    risk=Risk.HIGH,
    lock=Lock.ACCESS_EXCLUSIVE,
    effect="Objects that the statement does not name disappear.",
    remedy="Name every object in a DROP of its own.",
    source="PostgreSQL manual, Dependency Tracking",
    given="""
CREATE TABLE users (id bigint PRIMARY KEY, email text, age int, org int);
INSERT INTO users SELECT g, g, g, g FROM generate_series(1, 50) g;
CREATE VIEW mails AS SELECT email FROM users;
CREATE TYPE spot AS (x real, y real);
CREATE TABLE sites OF spot;
""",
    bad=(
        "DROP TABLE users CASCADE",
        "ALTER TABLE users DROP COLUMN email CASCADE",
        "DROP TYPE spot CASCADE",
    ),
    good=("DROP VIEW mails; DROP TABLE users",),
)


def check(step: Step, operation: Operation) -> Finding | None:
    if operation.gone and "CASCADE" in step.statement.text.upper():
        return Finding(operation, f"CASCADE also takes {listed(operation.gone, 12)}")
    return None
