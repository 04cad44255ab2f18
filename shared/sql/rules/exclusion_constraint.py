"""An exclusion constraint is added to a table in use."""

from __future__ import annotations

from shared.domain.kinds import Risk
from shared.sql.effects import Operation
from shared.sql.locks import Lock
from shared.sql.rules.rule import Finding, Rule, table
from shared.sql.step import Step

RULE = Rule(
    id="exclusion-constraint",
    types=("ADD_EXCLUDE",),
    risk=Risk.HIGH,
    lock=Lock.ACCESS_EXCLUSIVE,
    effect="Reads and writes of the table wait while its index is built and every row is compared.",
    remedy="There is no form that does not block: run it as a risky migration.",
    source="PostgreSQL manual, ALTER TABLE, EXCLUDE",
    given="""
CREATE TABLE users (id bigint PRIMARY KEY, email text, age int, org int);
INSERT INTO users SELECT g, g, g, g FROM generate_series(1, 50) g;
""",
    bad=("ALTER TABLE users ADD CONSTRAINT e EXCLUDE USING btree (email WITH =)",),
    good=("CREATE TABLE t (p int4range, EXCLUDE USING gist (p WITH &&))",),
)


def check(step: Step, operation: Operation) -> Finding | None:
    return Finding(operation, f"{operation.made} on {table(operation)} is built under the lock")
