"""Work that grows runs in a transaction that already holds a strong lock."""

from __future__ import annotations

from shared.domain.kinds import Risk
from shared.sql.effects import Operation
from shared.sql.locks import Lock
from shared.sql.need import listed
from shared.sql.rules.rule import Finding, Rule
from shared.sql.step import Step

RULE = Rule(
    id="work-under-strong-lock",
    in_use=False,
    stands_out=True,
    risk=Risk.HIGH,
    lock=Lock.ACCESS_EXCLUSIVE,
    effect="Everybody waits for the work, although the statement itself would block nobody.",
    remedy="COMMIT before it: leave BEGIN out, and the plan cuts the file there.",
    source="PostgreSQL manual, Explicit Locking: locks are held until the end of the transaction",
    given="""
CREATE TABLE users (id bigint PRIMARY KEY, email text, age int, org int);
INSERT INTO users SELECT g, g, g, g FROM generate_series(1, 50) g;
""",
    bad=(
        """
BEGIN;
ALTER TABLE users ADD CONSTRAINT c CHECK (age > 0) NOT VALID;
ALTER TABLE users VALIDATE CONSTRAINT c;
COMMIT;
        """,
    ),
    good=(
        """
ALTER TABLE users ADD CONSTRAINT c CHECK (age > 0) NOT VALID;
ALTER TABLE users VALIDATE CONSTRAINT c;
        """,
    ),
)


def check(step: Step, operation: Operation) -> Finding | None:
    if not step.in_block or not step.grows or operation is not step.operations[0]:
        return None
    before = {
        name for name, mode in step.held.items() if mode.strong and mode > step.locks.get(name, 0)
    }
    waiting = before & (step.blocked_reads | step.blocked_writes)
    if waiting:
        message = f"{listed(waiting)} stays locked by an earlier statement while this one works"
        return Finding(operation, message)
    return None
