"""INSERT, UPDATE, DELETE, MERGE: what they lock, change and destroy."""

from __future__ import annotations

from collections.abc import Iterator

from shared.sql.column_names import check_names
from shared.sql.context import Context
from shared.sql.definitions import check_columns
from shared.sql.effects import Operation
from shared.sql.expressions import check_calls, columns, relations
from shared.sql.grammar import Node
from shared.sql.locks import Lock
from shared.sql.operations.computed_columns import check_written
from shared.sql.operations.default_values import follow_defaults
from shared.sql.operations.fired import deleted, fire, instead_of, look_up, rekeyed
from shared.sql.operations.inheritance import read_bounds
from shared.sql.operations.insert_shape import check_shape
from shared.sql.operations.pruning import left_by, left_by_rows
from shared.sql.operations.publications import check_published
from shared.sql.operations.queries import Named, hold_read
from shared.sql.operations.routines import follow_calls
from shared.sql.row_selection import is_everything, is_nothing, many, one_row, reads_nothing
from shared.sql.schema_objects import Relation
from shared.sql.triggers import Event

CHANGES = {
    "InsertStmt": "INSERT",
    "UpdateStmt": "UPDATE",
    "DeleteStmt": "DELETE",
    "MergeStmt": "MERGE",
}


def change_rows(ctx: Context, tag: str, node: Node) -> None:
    operation = ctx.operation(CHANGES[tag])
    change(ctx, tag, node, operation)
    check_names(ctx, node)


def change(ctx: Context, tag: str, node: Node, operation: Operation) -> None:
    """One change, also where it stands inside WITH or COPY."""
    named = ctx.relation(node["relation"])
    if named is not None:
        operation.touch(named)
        operation.lock(named, Lock.ROW_EXCLUSIVE)
    read_sources(ctx, node, operation)
    if named is None or not instead_of(ctx, named, _EVENTS.get(tag), operation):
        _change_table(ctx, tag, node, named, operation)
    nested_changes(ctx, node, operation)


def _change_table(
    ctx: Context, tag: str, node: Node, named: Relation | None, operation: Operation
) -> None:
    target = behind(ctx, named)
    if target is None:
        return
    reached = _reached(ctx, tag, node, target)
    operation.lock_all(reached, Lock.ROW_EXCLUSIVE)
    if tag != "DeleteStmt":
        read_bounds(ctx, target, operation)
    if target.new and tag in ("InsertStmt", "MergeStmt") and not reads_nothing(node):
        for member in reached:
            member.filled = member.new
    for event, _ in _events(tag, node):
        check_published(ctx, target, event)
    if named is target:
        _written_columns(ctx, tag, node, target, operation)
    if not is_nothing(node.get("whereClause")):
        if tag in ("InsertStmt", "UpdateStmt"):
            follow_defaults(ctx, tag, node, target, operation)
        look_up(ctx, tag, node, target, operation)
        _CHANGE[tag](ctx, node, target, operation)
        _set_off(ctx, tag, node, target, operation)


_EVENTS: dict[str, Event] = {"InsertStmt": "INSERT", "UpdateStmt": "UPDATE", "DeleteStmt": "DELETE"}


def _reached(ctx: Context, tag: str, node: Node, target: Relation) -> list[Relation]:
    """The tables whose rows the statement may change."""
    alone = tag == "InsertStmt" and target.partition_key is None
    if alone or not node["relation"].get("inh", False):
        return [target]
    if target.partition_key is None:
        return [target, *ctx.catalog.partitions_of(target)]
    if tag == "InsertStmt":
        return [target, *left_by_rows(ctx, target, node)]
    if tag == "MergeStmt":
        return [target, *ctx.catalog.partitions_of(target)]
    return [target, *left_by(ctx, target, node)]


def behind(ctx: Context, relation: Relation | None) -> Relation | None:
    """The table behind a view that can be written through; the table itself otherwise."""
    for _ in range(16):
        if relation is None or relation.kind != "view":
            return relation
        sources = [ctx.catalog.relations.get(key) for key in relation.reads]
        relation = sources[0] if len(sources) == 1 else None
    return None


def nested_changes(ctx: Context, node: Node, operation: Operation) -> None:
    """Data-changing statements inside WITH."""
    for wrapped in node.get("withClause", {}).get("ctes", ()):
        query = wrapped["CommonTableExpr"].get("ctequery", {})
        for tag in CHANGES:
            if tag in query:
                change(ctx, tag, query[tag], operation)


def read_sources(ctx: Context, node: Node, operation: Operation) -> None:
    """What a running statement reads, and the functions that it runs."""
    check_calls(ctx, node, operation)
    follow_calls(ctx, node, operation)
    written, rows = node.get("relation"), not reads_nothing(node)
    for source in relations(node):
        if source is written:
            continue
        relation = ctx.relation(source)
        if relation is not None:
            operation.touch(relation)
            named = Named(source, node)
            hold_read(ctx, relation, operation, scan=True, rows=rows, named=named)


def _written_columns(
    ctx: Context, tag: str, node: Node, target: Relation, operation: Operation
) -> None:
    given = node.get("cols" if tag == "InsertStmt" else "targetList", ())
    if tag in ("InsertStmt", "UpdateStmt"):
        names = [each["ResTarget"]["name"] for each in given]
        operation.columns += names
        check_columns(ctx, target, names, node["relation"].get("location"))
        check_written(ctx, tag, node, target)
        check_shape(ctx, tag, node, target)


def _insert(ctx: Context, node: Node, target: Relation, operation: Operation) -> None:
    conflict = node.get("onConflictClause", {})
    source = node.get("selectStmt", {}).get("SelectStmt", {})
    from_rows = "valuesLists" not in source and bool(source.get("fromClause"))
    if conflict.get("action") == "ONCONFLICT_UPDATE" and from_rows and target.live:
        operation.bulk += (target.label,)


def _update(ctx: Context, node: Node, target: Relation, operation: Operation) -> None:
    if not target.live:
        return
    where = node.get("whereClause")
    _grows(ctx, node, target, operation)
    if is_everything(where) and "fromClause" not in node:
        operation.note("no-where")
        for each in node.get("targetList", ()):
            name, value = each["ResTarget"]["name"], each["ResTarget"].get("val")
            if name not in columns(value) and (target.key, name) not in ctx.new_columns:
                operation.note("overwrites")
                operation.destroys += (f"every value of {target.label}.{name}",)
    if many(ctx, node, target):
        operation.bulk += (target.label,)


def _delete(ctx: Context, node: Node, target: Relation, operation: Operation) -> None:
    if not target.live:
        return
    _grows(ctx, node, target, operation)
    if is_everything(node.get("whereClause")) and "usingClause" not in node:
        operation.note("no-where")
    operation.destroys += (f"rows of {target.label}",)
    if many(ctx, node, target):
        operation.bulk += (target.label,)


def _merge(ctx: Context, node: Node, target: Relation, operation: Operation) -> None:
    clauses = [clause["MergeWhenClause"] for clause in node.get("mergeWhenClauses", ())]
    kinds = {clause.get("commandType") for clause in clauses}
    if "returningClause" in node and ctx.version < 17:
        ctx.error(
            "version",
            f"MERGE .. RETURNING came with PostgreSQL 17; the server is {ctx.version}",
            at=node["relation"].get("location"),
        )
    if not target.live:
        return
    operation.scan(target)
    if "CMD_DELETE" in kinds:
        operation.destroys += (f"rows of {target.label}",)
    if relations(node.get("sourceRelation", {})) and kinds & {"CMD_UPDATE", "CMD_DELETE"}:
        operation.bulk += (target.label,)


_CHANGE = {
    "InsertStmt": _insert,
    "UpdateStmt": _update,
    "DeleteStmt": _delete,
    "MergeStmt": _merge,
}


def _grows(ctx: Context, node: Node, target: Relation, operation: Operation) -> None:
    if not one_row(ctx, node.get("whereClause"), target):
        operation.scan_all([target, *ctx.catalog.partitions_of(target)])


def _set_off(ctx: Context, tag: str, node: Node, target: Relation, operation: Operation) -> None:
    """Triggers, and the actions of the foreign keys that point at the table."""
    for event, written in _events(tag, node):
        fire(ctx, target, event, operation, written)
        if event == "DELETE":
            deleted(ctx, target, operation)
        elif event == "UPDATE":
            rekeyed(ctx, target, written, operation)


def _events(tag: str, node: Node) -> Iterator[tuple[Event, frozenset[str]]]:
    """What triggers may fire on, with the columns that an UPDATE sets."""
    if tag == "MergeStmt":
        for wrapped in node.get("mergeWhenClauses", ()):
            clause = wrapped["MergeWhenClause"]
            if (event := _MERGED.get(clause.get("commandType", ""))) is not None:
                yield event, _targets(clause)
        return
    yield _EVENTS[tag], _targets(node)
    conflict = node.get("onConflictClause", {})
    if conflict.get("action") == "ONCONFLICT_UPDATE":
        yield "UPDATE", _targets(conflict)


_MERGED: dict[str, Event] = {
    "CMD_INSERT": "INSERT",
    "CMD_UPDATE": "UPDATE",
    "CMD_DELETE": "DELETE",
}


def _targets(node: Node) -> frozenset[str]:
    return frozenset(each["ResTarget"].get("name", "") for each in node.get("targetList", ()))
