"""What runs cannot be seen in the file."""

from __future__ import annotations

from shared.domain.kinds import Risk
from shared.sql.effects import Operation
from shared.sql.rules.rule import Finding, Rule
from shared.sql.step import Step

RULE = Rule(
    id="unseen-statement",
    in_use=False,
    stands_out=True,
    risk=Risk.MEDIUM,
    lock=None,
    effect="Nobody can say what it locks, changes or destroys.",
    remedy="Write the statements out, or give the schema that has the body.",
    source="shared/sql/bodies.py: only text of EXECUTE that stands in the body can be followed",
    given="""
CREATE TABLE users (id bigint PRIMARY KEY, email text, age int, org int);
INSERT INTO users SELECT g, g, g, g FROM generate_series(1, 50) g;
""",
    bad=(
        (
            "DO $$ BEGIN EXECUTE coalesce(nullif(current_setting('app.statement', true), ''), "
            "'SELECT 1'); END $$"
        ),
    ),
    good=("DO $$ BEGIN PERFORM 1; END $$",),
)


_MARKS = frozenset({"unseen", "unknown"})


def check(step: Step, operation: Operation) -> Finding | None:
    if not operation.notes.isdisjoint(_MARKS):
        return Finding(operation, operation.reasons[0].why)
    return None
