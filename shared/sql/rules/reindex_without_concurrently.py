"""Indexes are rebuilt without CONCURRENTLY."""

from __future__ import annotations

import re

from shared.domain.kinds import Risk
from shared.sql.effects import Operation
from shared.sql.locks import Lock
from shared.sql.need import listed
from shared.sql.rules.rule import Finding, Rule
from shared.sql.step import Step

RULE = Rule(
    id="reindex-without-concurrently",
    types=("REINDEX",),
    risk=Risk.HIGH,
    lock=Lock.SHARE,
    effect=(
        "Writers wait, and readers too: planning a query takes a lock on every index of the table."
    ),
    remedy="REINDEX .. CONCURRENTLY, outside of a transaction.",
    source="PostgreSQL manual, REINDEX, Rebuilding Indexes Concurrently; measured: readers wait",
    given="""
CREATE TABLE users (id bigint PRIMARY KEY, email text, age int, org int);
INSERT INTO users SELECT g, g, g, g FROM generate_series(1, 50) g;
""",
    bad=("REINDEX TABLE users",),
    good=("REINDEX TABLE CONCURRENTLY users",),
)


def check(step: Step, operation: Operation) -> Finding | None:
    text, found = FORM.subn(r"\1CONCURRENTLY ", step.statement.text, count=1)
    message = f"readers and writers of {listed(operation.tables)} wait"
    return Finding(operation, message, f"{text};" if found else "")


FORM = re.compile(r"^(REINDEX\s+(?:INDEX|TABLE|SCHEMA|DATABASE)\s+)", re.IGNORECASE)
