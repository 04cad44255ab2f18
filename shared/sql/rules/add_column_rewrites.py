"""A column is added whose value must be written into every row at once."""

from __future__ import annotations

from shared.domain.kinds import Risk
from shared.sql.effects import Operation
from shared.sql.locks import Lock
from shared.sql.rules.rule import Finding, Rule, table
from shared.sql.step import Step

RULE = Rule(
    id="add-column-rewrites",
    types=("ADD_COLUMN",),
    risk=Risk.HIGH,
    lock=Lock.ACCESS_EXCLUSIVE,
    effect="PostgreSQL writes a new copy of the table; meanwhile nobody can read or write it.",
    remedy=(
        "Add the column without the value, set the default for new rows, and fill the old"
        " rows in batches."
    ),
    source=(
        "PostgreSQL manual, ALTER TABLE, Notes: a volatile default, a stored generated "
        "column, an identity column or a constrained domain needs the entire table to be "
        "rewritten"
    ),
    given="""
CREATE TABLE users (id bigint PRIMARY KEY, email text, age int, org int);
INSERT INTO users SELECT g, g, g, g FROM generate_series(1, 50) g;
""",
    bad=(
        "ALTER TABLE users ADD COLUMN token uuid DEFAULT gen_random_uuid()",
        "ALTER TABLE users ADD COLUMN n bigserial",
        "ALTER TABLE users ADD COLUMN twice int GENERATED ALWAYS AS (age * 2) STORED",
    ),
    good=(
        "ALTER TABLE users ADD COLUMN token uuid",
        "ALTER TABLE users ADD COLUMN seen timestamptz DEFAULT now()",
    ),
)


def check(step: Step, operation: Operation) -> Finding | None:
    for note, why in WHY.items():
        if note in operation.notes and operation.rewrites:
            column = operation.columns[0]
            return Finding(operation, f"column {column} of {table(operation)} {why}")
    return None


WHY = {
    "serial": "is a serial: every row is written now",
    "identity": "is an identity: every row is written now",
    "generated-stored": "is computed and stored: every row is written now",
    "volatile-default": "has a default that differs from row to row: every row is written now",
    "constrained-domain": "is of a domain with a constraint: every row is written now",
    "unknown-type": (
        "is of a type that is not known here: if it is a domain with a constraint, every row is"
        " written now; a schema (`--schema`) tells"
    ),
}
