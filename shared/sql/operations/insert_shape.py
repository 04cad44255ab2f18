"""INSERT and UPDATE as the server reads them before any row: as many values as columns, each column
once, and a key behind ON CONFLICT."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from shared.sql.context import Context
from shared.sql.definitions import check_columns
from shared.sql.grammar import Node
from shared.sql.names import strings
from shared.sql.schema_objects import Relation


def check_shape(ctx: Context, tag: str, node: Node, target: Relation) -> None:
    if target.columns is None or ctx.building:
        return
    at = node["relation"].get("location")
    changed = node.get("cols" if tag == "InsertStmt" else "targetList", ())
    found = [*_twice(changed)]
    if tag == "InsertStmt":
        found += [*_counts(node, target), *_conflict(ctx, node.get("onConflictClause", {}), target)]
    if target.kind == "materialized view":
        found.append(f'"{target.shown}" is a materialized view: only REFRESH writes it')
    for message in found:
        ctx.error("catalog", message, at=at)


def _twice(changed: list[Node]) -> Iterator[str]:
    whole = [each["ResTarget"] for each in changed if "indirection" not in each["ResTarget"]]
    for name, times in Counter(each.get("name", "") for each in whole).items():
        if times > 1:
            yield f'column "{name}" is written twice by one statement'


def _counts(node: Node, target: Relation) -> Iterator[str]:
    query = node.get("selectStmt", {}).get("SelectStmt", {})
    named = len(node.get("cols", ()))
    rows = query.get("valuesLists", ())
    widths = {len(row["List"]["items"]) for row in rows} or _width(query)
    if len(widths) > 1:
        yield "the rows of VALUES have different numbers of values"
        return
    most = named or len(target.columns or ())
    for width in widths:
        if width > most or width < named:
            yield f"for {most} columns there are {width} values to INSERT"


def _width(query: Node) -> set[int]:
    """How many columns a query has; nothing where a star or a row tells of none."""
    targets = [each["ResTarget"].get("val", {}) for each in query.get("targetList", ())]
    plain = all(
        "*" not in strings(each.get("ColumnRef", {}).get("fields")) and "A_Indirection" not in each
        for each in targets
    )
    return {len(targets)} if targets and plain else set()


def _conflict(ctx: Context, clause: Node, target: Relation) -> Iterator[str]:
    infer = clause.get("infer", {})
    if clause.get("action") == "ONCONFLICT_UPDATE":
        if not infer:
            yield "ON CONFLICT DO UPDATE names the columns of a unique key, or its constraint"
        written = [each["ResTarget"]["name"] for each in clause.get("targetList", ())]
        check_columns(ctx, target, written, clause.get("location"))
    if target.kind != "table" or target.bound is not None:
        return
    constraint = infer.get("conname")
    if constraint is not None and constraint not in target.constraints:
        yield f'constraint "{constraint}" for table "{target.shown}" does not exist'
    elements = [each["IndexElem"] for each in infer.get("indexElems", ())]
    names = {each["name"] for each in elements if "name" in each}
    unique = [index for index in ctx.catalog.indexes_of(target.key) if index.unique]
    if elements and not any(names <= {*index.columns, *index.own_columns} for index in unique):
        yield f"no unique index of {target.shown} is over what ON CONFLICT names"
    elif len(names) == len(elements) > 0 and not any(
        not index.plain or names == set(index.columns) for index in unique
    ):
        yield f"no unique index of {target.shown} is over just what ON CONFLICT names"
