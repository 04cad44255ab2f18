"""Generated and identity columns: PostgreSQL takes no value for them but DEFAULT."""

from __future__ import annotations

from collections.abc import Iterator

from shared.sql.context import Context
from shared.sql.grammar import Node
from shared.sql.schema_objects import Relation


def check_written(ctx: Context, tag: str, node: Node, target: Relation) -> None:
    """A problem for each column that an INSERT or UPDATE gives a value and that takes none."""
    if target.columns is None or ctx.building:
        return
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
