"""What the DEFAULT of a column calls, where a statement takes it, and what looks at a row that is
written."""

from __future__ import annotations

from collections.abc import Iterator

from shared.sql.context import Context
from shared.sql.effects import Operation
from shared.sql.grammar import Node
from shared.sql.implied_calls import implied_by_rows
from shared.sql.mentions import Mentions
from shared.sql.names import split_name
from shared.sql.operations.routines import follow_behind
from shared.sql.schema_objects import Relation


def follow_defaults(
    ctx: Context, tag: str, node: Node, target: Relation, operation: Operation
) -> None:
    """Follow the functions that compute values which an INSERT or UPDATE does not give itself, and
    those that look at the row."""
    if target.columns is None or not ctx.catalog.routines or ctx.building or ctx.planning:
        return
    taken = _left_out(node, target) if tag == "InsertStmt" else _set_to_default(node)
    for name in dict.fromkeys(taken):
        column = target.columns.get(name)
        if column is not None and column.default is not None:
            follow_behind(ctx, _called(column.default), operation)
    follow_behind(ctx, implied_by_rows(ctx, target), operation)


def _called(default: Node) -> frozenset[str]:
    """Read here, so that the statement's own mentions stay the ones that are kept."""
    return frozenset(split_name(call.get("funcname"))[1] for call in Mentions(default).calls)


def _left_out(node: Node, target: Relation) -> Iterator[str]:
    """Columns that some row of an INSERT gives no value, or DEFAULT."""
    every = list(target.columns or ())
    query = node.get("selectStmt", {}).get("SelectStmt", {})
    rows = [row["List"]["items"] for row in query.get("valuesLists", ())]
    named = [each["ResTarget"]["name"] for each in node.get("cols", ())]
    given = named or every[: _width(query, rows, len(every))]
    yield from (name for name in every if name not in given)
    for row in rows:
        yield from (n for n, value in zip(given, row, strict=False) if "SetToDefault" in value)


def _width(query: Node, rows: list[list[Node]], most: int) -> int:
    """How many values a row has; what a star gives is taken for a value of every column."""
    if rows:
        return len(rows[0])
    targets = [each["ResTarget"].get("val", {}) for each in query.get("targetList", ())]
    starred = any("A_Star" in each.get("ColumnRef", {}).get("fields", [{}])[-1] for each in targets)
    return most if starred or ("op" in query and query["op"] != "SETOP_NONE") else len(targets)


def _set_to_default(node: Node) -> Iterator[str]:
    for each in node.get("targetList", ()):
        if "SetToDefault" in each["ResTarget"].get("val", {}):
            yield each["ResTarget"]["name"]
