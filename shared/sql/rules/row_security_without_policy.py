"""Row security is turned on where no policy lets anybody see rows."""

from __future__ import annotations

from shared.domain.kinds import Risk
from shared.sql.effects import Operation
from shared.sql.locks import Lock
from shared.sql.need import listed
from shared.sql.rules.rule import Finding, Rule
from shared.sql.step import Step

RULE = Rule(
    id="row-security-without-policy",
    types=("ENABLE_RLS",),
    risk=Risk.MEDIUM,
    lock=Lock.ACCESS_EXCLUSIVE,
    effect="All rows are hidden from everybody but the owner.",
    remedy="Create the policies first.",
    source="PostgreSQL manual, Row Security Policies",
    given="""
CREATE TABLE users (id bigint PRIMARY KEY, email text, age int, org int);
INSERT INTO users SELECT g, g, g, g FROM generate_series(1, 50) g;
""",
    bad=("ALTER TABLE users ENABLE ROW LEVEL SECURITY",),
    good=("CREATE POLICY p ON users USING (true); ALTER TABLE users ENABLE ROW LEVEL SECURITY",),
)


def check(step: Step, operation: Operation) -> Finding | None:
    if operation.breaks:
        return Finding(operation, listed(operation.breaks))
    return None
