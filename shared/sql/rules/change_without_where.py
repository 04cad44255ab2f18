"""UPDATE or DELETE without WHERE."""

from __future__ import annotations

from shared.domain.kinds import Risk
from shared.sql.effects import Operation
from shared.sql.locks import Lock
from shared.sql.rules.rule import Finding, Rule, table
from shared.sql.step import Step

RULE = Rule(
    id="change-without-where",
    types=(
        "UPDATE",
        "DELETE",
    ),
    risk=Risk.HIGH,
    lock=Lock.ROW_EXCLUSIVE,
    effect="Every row is locked until the end of the transaction, and written again.",
    remedy="Do it in batches (`-- bluegreen: batch ..`), or run it as a risky migration.",
    source="PostgreSQL manual, UPDATE; DELETE",
    given="""
CREATE TABLE users (id bigint PRIMARY KEY, email text, age int, org int);
INSERT INTO users SELECT g, g, g, g FROM generate_series(1, 50) g;
""",
    bad=(
        "UPDATE users SET age = 1",
        "DELETE FROM users",
        "UPDATE users SET age = 1 WHERE true",
    ),
    good=(
        "UPDATE users SET age = 1 WHERE id = 5",
        "DELETE FROM users WHERE age > 200",
    ),
)


def check(step: Step, operation: Operation) -> Finding | None:
    if "no-where" in operation.notes:
        return Finding(operation, f"{operation.type} of every row of {table(operation)}")
    return None
