"""A file's expressions over one row: in a trigger over NEW, in a query over a table's row.

An expression is never edited. It stands over a one-row derived table that is called as the file
calls the row, and whose columns have the names of that moment in the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from shared.domain.identifiers import ident, literal
from shared.mapping.chain_model import Chain, Operation, Value

Place = Callable[[Value], str]
"""Where a value is found: SQL text for a column of the row or a slot of the chain."""


def one_row(alias: str, reads: Iterable[tuple[str, str]]) -> str:
    """`(SELECT new.mail AS email) AS users`: the row as the file saw it."""
    columns = ", ".join(f"{text} AS {ident(name)}" for name, text in reads)
    return f"(SELECT {columns or 'true AS bluegreen_nothing'}) AS {ident(alias)}"


def row_of(operation: Operation, place: Place) -> str:
    return one_row(operation.alias, [(read.name, place(read.value)) for read in operation.reads])


def differs(left: Iterable[str], right: Iterable[str]) -> str:
    """Whether two lists of values differ in any byte.

    Not `IS DISTINCT FROM`, which calls 1.0 and 1.00 equal; and `row(..) *<> row(..)` without the
    cast is taken apart by the parser.
    """
    return f"row({', '.join(left)})::record *<> row({', '.join(right)})::record"


FORCE = "bluegreen.force"
"""Session setting: `on` makes forward triggers compute even where no source changed."""


def changed(columns: Iterable[str]) -> str:
    """In a trigger: true for an INSERT, and for an UPDATE that changed a byte of these columns."""
    names = list(columns)
    if not names:
        return "tg_op = 'INSERT'"
    test = differs([f"new.{name}" for name in names], [f"old.{name}" for name in names])
    return f"tg_op = 'INSERT' OR {test}"


def forced() -> str:
    return f"coalesce(current_setting({literal(FORCE)}, true), '') = 'on'"


def as_query(
    chain: Chain, row: str, column: Callable[[str], str], *, prefix: str
) -> tuple[str, dict[str, str]]:
    """The chain as FROM items behind `row`, and the SQL text of each result by final name.

    `column` gives the name under which the row has a column of that final name; `prefix` begins
    the names of the items.
    """
    slots: dict[int, str] = {}

    def place(value: Value) -> str:
        if value.slot is not None:
            return slots[value.slot]
        assert value.column is not None
        text = f"{row}.{ident(column(value.column))}"
        return f"{text}::{value.cast}" if value.cast else text

    items = ""
    for slot, expression in chain.starts.items():
        slots[slot] = f"({expression})::{chain.slots[slot]}"
    for number, operation in enumerate(chain.operations):
        item = f"{prefix}{number}"
        picked = ", ".join(
            f"({a.expression})::{chain.slots[a.slot]} AS c{a.slot}" for a in operation.assignments
        )
        where = f" WHERE {operation.condition}" if operation.condition else ""
        source = row_of(operation, place)
        items += f"\n LEFT JOIN LATERAL (SELECT true AS hit, {picked} FROM {source}{where})"
        items += f" AS {item} ON true"
        for a in operation.assignments:
            found = f"{item}.c{a.slot}"
            if operation.condition and a.before is not None:
                found = f"CASE WHEN {item}.hit THEN {found} ELSE {place(a.before)} END"
            slots[a.slot] = found
    return items, {result.column: slots[result.slot] for result in chain.results}
