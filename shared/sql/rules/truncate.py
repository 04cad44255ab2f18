"""A table in use is emptied."""

from __future__ import annotations

from shared.domain.kinds import Risk
from shared.sql.effects import Operation
from shared.sql.locks import Lock
from shared.sql.need import listed
from shared.sql.rules.rule import Finding, Rule
from shared.sql.step import Step

RULE = Rule(
    id="truncate",
    types=("TRUNCATE",),
    risk=Risk.HIGH,
    lock=Lock.ACCESS_EXCLUSIVE,
    effect="Its rows are gone, and nobody can read it meanwhile.",
    remedy="Delete in batches, or run it as a risky migration.",
    source="PostgreSQL manual, TRUNCATE",
    given="""
CREATE TABLE users (id bigint PRIMARY KEY, email text, age int, org int);
INSERT INTO users SELECT g, g, g, g FROM generate_series(1, 50) g;
""",
    bad=("TRUNCATE users",),
    good=("CREATE TABLE t (a int); TRUNCATE t",),
)


def check(step: Step, operation: Operation) -> Finding | None:
    return Finding(operation, f"gone: {listed(operation.destroys)}")
