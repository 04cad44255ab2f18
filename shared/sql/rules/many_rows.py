"""One transaction changes many rows of a table in use."""

from __future__ import annotations

from shared.domain.kinds import Risk
from shared.sql.effects import Operation
from shared.sql.locks import Lock
from shared.sql.need import listed
from shared.sql.rules.rule import Finding, Rule
from shared.sql.step import Step

RULE = Rule(
    id="many-rows",
    types=(
        "UPDATE",
        "DELETE",
        "MERGE",
        "INSERT",
    ),
    risk=Risk.MEDIUM,
    lock=Lock.ROW_EXCLUSIVE,
    effect="Row locks stay until the end, replication falls behind, dead rows stay behind.",
    remedy="Change them in batches (`-- bluegreen: batch ..`), each with its own commit.",
    source="PostgreSQL manual, Routine Vacuuming",
    given="""
CREATE TABLE users (id bigint PRIMARY KEY, email text, age int, org int);
INSERT INTO users SELECT g, g, g, g FROM generate_series(1, 50) g;
""",
    bad=(
        "UPDATE users SET age = 1 WHERE org = 3",
        "DELETE FROM users WHERE age > 5",
    ),
    good=(
        "UPDATE users SET age = 1 WHERE id = 5",
        "DELETE FROM users WHERE id IN (SELECT id FROM users ORDER BY id LIMIT 1000)",
    ),
)


def check(step: Step, operation: Operation) -> Finding | None:
    if operation.bulk and "no-where" not in operation.notes:
        message = f"no unique key or LIMIT bounds the rows of {listed(operation.bulk)}"
        return Finding(operation, message)
    return None
