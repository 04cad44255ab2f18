"""A view, function, sequence or type that clients use is dropped."""

from __future__ import annotations

from shared.domain.kinds import Risk
from shared.sql.effects import Operation
from shared.sql.locks import Lock
from shared.sql.need import listed
from shared.sql.rules.rule import Finding, Rule
from shared.sql.step import Step

RULE = Rule(
    id="drop-object",
    in_use=False,
    types=("DROP_*",),
    risk=Risk.MEDIUM,
    lock=Lock.ACCESS_EXCLUSIVE,
    effect="Statements that use it fail from this moment on.",
    remedy="Run it as a risky migration, whose gate plans the clients' statements first.",
    source="PostgreSQL manual, DROP VIEW and others",
    given="""
CREATE TABLE users (id bigint PRIMARY KEY, email text, age int, org int);
INSERT INTO users SELECT g, g, g, g FROM generate_series(1, 50) g;
CREATE VIEW mails AS SELECT email FROM users;
""",
    bad=("DROP VIEW mails",),
    good=("CREATE VIEW v AS SELECT 1; DROP VIEW v",),
)


def check(step: Step, operation: Operation) -> Finding | None:
    if operation.breaks and operation.type.startswith("DROP_"):
        return Finding(operation, listed(operation.breaks))
    return None
