"""A table is attached as a partition without a constraint that proves its bounds."""

from __future__ import annotations

from shared.domain.kinds import Risk
from shared.sql.effects import Operation
from shared.sql.locks import Lock
from shared.sql.need import listed
from shared.sql.rules.rule import Finding, Rule
from shared.sql.step import Step

RULE = Rule(
    id="attach-partition-scan",
    types=(
        "ATTACH_PARTITION",
        "CREATE_PARTITION",
    ),
    risk=Risk.HIGH,
    lock=Lock.ACCESS_EXCLUSIVE,
    effect="The table (and a DEFAULT partition) is scanned while nobody can read or write it.",
    remedy="Add and validate a CHECK of the same bounds first, with IS NOT NULL, and on a DEFAULT "
    "partition one that excludes them. Then nothing is scanned.",
    source="PostgreSQL manual, ALTER TABLE, ATTACH PARTITION",
    given="""
CREATE TABLE days (d date NOT NULL, n int) PARTITION BY RANGE (d);
CREATE TABLE days_25 PARTITION OF days FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE days_26 (d date NOT NULL, n int);
INSERT INTO days_26 SELECT date '2026-01-01' + g, g FROM generate_series(1, 50) g;
""",
    bad=(
        (
            "ALTER TABLE days ATTACH PARTITION days_26 FOR VALUES FROM ('2026-01-01') TO "
            "('2027-01-01')"
        ),
    ),
    good=(
        """
ALTER TABLE days_26 ADD CONSTRAINT y CHECK (d >= '2026-01-01' AND d < '2027-01-01') NOT VALID;
ALTER TABLE days_26 VALIDATE CONSTRAINT y;
ALTER TABLE days ATTACH PARTITION days_26 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')
        """,
    ),
)


def check(step: Step, operation: Operation) -> Finding | None:
    if operation.scans:
        return Finding(operation, f"{listed(operation.scans)} is scanned under the lock")
    return None
