"""What a rule is: metadata, one function, examples. One rule stands in one file.

From that file come the warning in the report, the tests of its examples, the proof on a real
server that the lock it declares is the lock taken, and its page in docs/rules.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from shared.domain.kinds import Risk
from shared.sql.effects import Operation
from shared.sql.locks import Lock
from shared.sql.names import quoted
from shared.sql.step import Step


@dataclass(frozen=True, slots=True)
class Rule:
    id: str
    """Name of its file (with _ for -), of its page, and in `-- bluegreen: allow`."""
    risk: Risk
    lock: Lock | None
    """Strongest mode that a bad example takes on a table of `given`; None: none on any."""
    effect: str
    remedy: str
    source: str
    given: str
    """The schema, with rows, that the examples meet."""
    bad: tuple[str, ...]
    good: tuple[str, ...]
    types: tuple[str, ...] = ()
    """The operations that it looks at; `DROP_*`: each whose name begins so; empty: all of them."""
    in_use: bool = True
    """It looks only at operations that lock something in use."""
    stands_out: bool = False
    """It looks only at what stands out: a statement in a block whose work grows with a table, one
    with letters beyond ASCII, an operation of which something is noted or that takes more along."""


class Finding(NamedTuple):
    operation: Operation
    message: str
    rewrite: str = ""
    """The safe form, as SQL that can be pasted."""


Check = Callable[[Step, Operation], Finding | None]
"""What it finds in one operation that it looks at."""


def table(operation: Operation) -> str:
    """The table that an operation is about, as it is written in SQL."""
    return operation.tables[0] if operation.tables else "the table"


def validated_later(step: Step, operation: Operation) -> str:
    """The safe form of a constraint that every row is looked at for: added unproven, then proven
    while the application goes on. Empty where the statement does more."""
    if not alone(step):
        return ""
    validate = f"ALTER TABLE {table(operation)} VALIDATE CONSTRAINT {quoted(operation.made)};"
    return f"{step.statement.text} NOT VALID;\n{validate}"


def by_index(step: Step, operation: Operation, constraint: str) -> str:
    """The safe form of `UNIQUE` or `PRIMARY KEY`: its index is built while the application goes on.
    Empty where the statement does more."""
    if not alone(step):
        return ""
    name, index = table(operation), quoted(f"{operation.made}_index")
    columns = ", ".join(map(quoted, operation.columns))
    return (
        f"CREATE UNIQUE INDEX CONCURRENTLY {index} ON {name} ({columns});\n"
        f"ALTER TABLE {name} ADD CONSTRAINT {quoted(operation.made)} {constraint}"
        f" USING INDEX {index};"
    )


def alone(step: Step) -> bool:
    """Whether the statement is one operation, so that its text can be put in another form."""
    return len(step.operations) == 1
