"""A column is added together with a constraint that is checked at once."""

from __future__ import annotations

from shared.domain.kinds import Risk
from shared.sql.effects import Operation
from shared.sql.locks import Lock
from shared.sql.rules.rule import Finding, Rule, table
from shared.sql.step import Step

RULE = Rule(
    id="add-column-with-constraint",
    types=("ADD_COLUMN",),
    risk=Risk.HIGH,
    lock=Lock.ACCESS_EXCLUSIVE,
    effect="Readers and writers wait while the table is scanned or an index is built.",
    remedy=(
        "Add the bare column; add the constraint NOT VALID, or over an index made "
        "CONCURRENTLY, in statements of their own."
    ),
    source="PostgreSQL manual, ALTER TABLE, ADD COLUMN with column constraints",
    given="""
CREATE TABLE users (id bigint PRIMARY KEY, email text, age int, org int);
INSERT INTO users SELECT g, g, g, g FROM generate_series(1, 50) g;
""",
    bad=(
        "ALTER TABLE users ADD COLUMN rating int CHECK (rating < 6)",
        "ALTER TABLE users ADD COLUMN vat text UNIQUE",
    ),
    good=("ALTER TABLE users ADD COLUMN rating int",),
)


def check(step: Step, operation: Operation) -> Finding | None:
    kinds = [note.removeprefix("inline ") for note in operation.notes if "inline" in note]
    if kinds and operation.scans and not operation.rewrites:
        what = " and ".join(sorted(kinds))
        return Finding(
            operation,
            f"{what} on the new column {operation.columns[0]} of {table(operation)} is "
            "checked over the whole table",
        )
    return None
