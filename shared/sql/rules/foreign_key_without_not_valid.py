"""A foreign key is added and checked at once."""

from __future__ import annotations

from shared.domain.kinds import Risk
from shared.sql.effects import Operation
from shared.sql.locks import Lock
from shared.sql.rules.rule import Finding, Rule, table, validated_later
from shared.sql.step import Step

RULE = Rule(
    id="foreign-key-without-not-valid",
    types=("ADD_FOREIGN_KEY",),
    risk=Risk.MEDIUM,
    lock=Lock.SHARE_ROW_EXCLUSIVE,
    effect="Writes of both tables wait while every row is looked up in the other table.",
    remedy="Add it NOT VALID, then VALIDATE it in a statement of its own, which blocks nobody.",
    source="PostgreSQL manual, ALTER TABLE, ADD table_constraint NOT VALID",
    given="""
CREATE TABLE users (id bigint PRIMARY KEY, email text, age int, org int);
INSERT INTO users SELECT g, g, g, g FROM generate_series(1, 50) g;
CREATE TABLE orgs (id int PRIMARY KEY);
INSERT INTO orgs SELECT generate_series(1, 50);
""",
    bad=("ALTER TABLE users ADD CONSTRAINT org_fk FOREIGN KEY (org) REFERENCES orgs",),
    good=("ALTER TABLE users ADD CONSTRAINT org_fk FOREIGN KEY (org) REFERENCES orgs NOT VALID",),
)


def check(step: Step, operation: Operation) -> Finding | None:
    if operation.scans:
        message = f"{operation.made} on {table(operation)}: every row is looked up now"
        return Finding(operation, message, validated_later(step, operation))
    return None
