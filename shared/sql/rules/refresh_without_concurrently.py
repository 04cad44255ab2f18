"""A materialized view is refreshed without CONCURRENTLY."""

from __future__ import annotations

import re

from shared.domain.kinds import Risk
from shared.sql.effects import Operation
from shared.sql.locks import Lock
from shared.sql.rules.rule import Finding, Rule, table
from shared.sql.step import Step

RULE = Rule(
    id="refresh-without-concurrently",
    types=("REFRESH_MATERIALIZED_VIEW",),
    risk=Risk.MEDIUM,
    lock=Lock.ACCESS_EXCLUSIVE,
    effect="Readers of the view wait until it is computed.",
    remedy="REFRESH MATERIALIZED VIEW CONCURRENTLY, with a unique index on the view.",
    source="PostgreSQL manual, REFRESH MATERIALIZED VIEW",
    given="""
CREATE TABLE users (id bigint PRIMARY KEY, email text, age int, org int);
INSERT INTO users SELECT g, g, g, g FROM generate_series(1, 50) g;
CREATE MATERIALIZED VIEW ages AS SELECT age, count(*) FROM users GROUP BY age;
CREATE UNIQUE INDEX ON ages (age);
""",
    bad=("REFRESH MATERIALIZED VIEW ages",),
    good=("REFRESH MATERIALIZED VIEW CONCURRENTLY ages",),
)


def check(step: Step, operation: Operation) -> Finding | None:
    text, found = FORM.subn(r"\1CONCURRENTLY ", step.statement.text, count=1)
    plain = found and "emptied" not in operation.notes
    message = f"readers of {table(operation)} wait"
    return Finding(operation, message, f"{text};" if plain else "")


FORM = re.compile(r"^(REFRESH\s+MATERIALIZED\s+VIEW\s+)", re.IGNORECASE)
