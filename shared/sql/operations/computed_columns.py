"""What columns take when rows are written: generated and identity ones nothing but DEFAULT, none a
constant of a type that does not become theirs."""

from __future__ import annotations

from collections.abc import Iterator

from shared.sql.constant_types import check_constant
from shared.sql.context import Context
from shared.sql.grammar import Node
from shared.sql.schema_objects import Relation


def check_written(ctx: Context, tag: str, node: Node, target: Relation) -> None:
    """A problem for each column that an INSERT or UPDATE gives a value and that takes none."""
    if target.columns is None or ctx.building:
        return
    _check_constants(ctx, node, target)
    system = node.get("override") == "OVERRIDING_SYSTEM_VALUE"
    user = node.get("override") == "OVERRIDING_USER_VALUE"
    for name in _inserted(node, target) if tag == "InsertStmt" else _updated(node):
        column = target.columns.get(name)
        identity = column is not None and column.always and not (system or user)
        if column is not None and (column.generated or identity):
            what = "a generated column" if column.generated else "an identity GENERATED ALWAYS"
            ctx.error(
                "catalog",
                f'column "{name}" of {target.shown} is {what}: it takes no value but DEFAULT',
                remedy="leave it out" if column.generated else "say OVERRIDING SYSTEM VALUE",
            )


def _check_constants(ctx: Context, node: Node, target: Relation) -> None:
    """Of the first rows only: of many that are written out, all have the same types."""
    columns = target.columns or {}
    names = [each["ResTarget"]["name"] for each in node.get("cols", ())] or list(columns)
    rows = node.get("selectStmt", {}).get("SelectStmt", {}).get("valuesLists", ())
    given = [
        pair for row in rows[:LOOKED_AT] for pair in zip(names, row["List"]["items"], strict=False)
    ]
    updated = node.get("targetList") or node.get("onConflictClause", {}).get("targetList", ())
    for changed in (each["ResTarget"] for each in updated):
        if "indirection" not in changed:
            given.append((changed["name"], changed.get("val", {})))
    for name, value in given:
        if "A_Const" in value and name in columns:
            check_constant(ctx, columns[name], value)


LOOKED_AT = 10


def _updated(node: Node) -> Iterator[str]:
    for each in node.get("targetList", ()):
        if "SetToDefault" not in each["ResTarget"].get("val", {}):
            yield each["ResTarget"]["name"]


def _inserted(node: Node, target: Relation) -> Iterator[str]:
    """Columns that get something else than DEFAULT; a query gives all that it names."""
    names = [each["ResTarget"]["name"] for each in node.get("cols", ())]
    query = node.get("selectStmt", {}).get("SelectStmt", {})
    rows = [row["List"]["items"] for row in query.get("valuesLists", ())]
    if not names and rows:
        names = list(target.columns or ())
    for at, name in enumerate(names):
        given = [row[at] for row in rows if at < len(row)]
        if (given or not rows) and not all("SetToDefault" in each for each in given or [{}]):
            yield name
