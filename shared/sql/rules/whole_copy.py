"""A table is written anew by its own command."""

from __future__ import annotations

from shared.domain.kinds import Risk
from shared.sql.effects import Operation
from shared.sql.locks import Lock
from shared.sql.need import listed
from shared.sql.rules.rule import Finding, Rule
from shared.sql.step import Step

RULE = Rule(
    id="whole-copy",
    in_use=False,
    types=(
        "VACUUM_FULL",
        "CLUSTER",
        "SET_LOGGED",
        "SET_UNLOGGED",
        "SET_TABLESPACE",
        "SET_TABLESPACE_ALL",
        "SET_ACCESS_METHOD",
        "SET_EXPRESSION",
    ),
    risk=Risk.HIGH,
    lock=Lock.ACCESS_EXCLUSIVE,
    effect="Nobody can read or write the table until its copy is complete.",
    remedy="A maintenance window, or pg_repack outside of migrations.",
    source="PostgreSQL manual, VACUUM FULL; CLUSTER; ALTER TABLE SET TABLESPACE, SET LOGGED",
    given="""
CREATE TABLE users (id bigint PRIMARY KEY, email text, age int, org int);
INSERT INTO users SELECT g, g, g, g FROM generate_series(1, 50) g;
""",
    bad=(
        "CLUSTER users USING users_pkey",
        "ALTER TABLE users SET UNLOGGED",
    ),
    good=(
        "VACUUM users",
        "ALTER TABLE users SET (fillfactor = 70)",
    ),
)


def check(step: Step, operation: Operation) -> Finding | None:
    if operation.rewrites and operation.type in RULE.types:
        return Finding(operation, f"{listed(operation.rewrites)} is written anew")
    return None
