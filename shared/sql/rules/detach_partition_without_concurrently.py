"""A partition is detached without CONCURRENTLY."""

from __future__ import annotations

from shared.domain.kinds import Risk
from shared.sql.effects import Operation
from shared.sql.locks import Lock
from shared.sql.rules.rule import Finding, Rule, table
from shared.sql.step import Step

RULE = Rule(
    id="detach-partition-without-concurrently",
    types=("DETACH_PARTITION",),
    risk=Risk.LOW,
    lock=Lock.ACCESS_EXCLUSIVE,
    effect=(
        "The partitioned table is locked for an instant; a long query makes everybody "
        "wait behind it."
    ),
    remedy="DETACH PARTITION .. CONCURRENTLY, outside of a transaction.",
    source="PostgreSQL manual, ALTER TABLE, DETACH PARTITION",
    given="""
CREATE TABLE days (d date NOT NULL, n int) PARTITION BY RANGE (d);
CREATE TABLE days_25 PARTITION OF days FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE days_26 (d date NOT NULL, n int);
INSERT INTO days_26 SELECT date '2026-01-01' + g, g FROM generate_series(1, 50) g;
""",
    bad=("ALTER TABLE days DETACH PARTITION days_25",),
    good=("ALTER TABLE days DETACH PARTITION days_25 CONCURRENTLY",),
)


def check(step: Step, operation: Operation) -> Finding | None:
    message = f"{table(operation)} is locked against everybody"
    return Finding(operation, message, f"{step.statement.text} CONCURRENTLY;")
