"""SELECT and COPY: what they read, and the functions that they run."""

from __future__ import annotations

from shared.sql.column_names import check_names
from shared.sql.context import Context
from shared.sql.definitions import check_columns
from shared.sql.folding import fold
from shared.sql.grammar import Node
from shared.sql.locks import Lock
from shared.sql.names import split_name, strings
from shared.sql.operations.fired import fire
from shared.sql.operations.inheritance import read_bounds
from shared.sql.operations.objects import unknown
from shared.sql.operations.queries import hold_read
from shared.sql.operations.row_changes import CHANGES, change, nested_changes, read_sources
from shared.sql.operations.row_locks import lock_rows
from shared.sql.operations.session import apply_setting
from shared.sql.operations.table_copies import create_table_as


def select(ctx: Context, node: Node) -> None:
    if "intoClause" in node:
        query = {key: value for key, value in node.items() if key != "intoClause"}
        create_table_as(ctx, {"query": {"SelectStmt": query}, "into": node["intoClause"]})
        return
    operation = ctx.operation("SELECT")
    read_sources(ctx, node, operation)
    if "lockingClause" in node:
        lock_rows(ctx, node, operation)
    nested_changes(ctx, node, operation)
    check_names(ctx, node)
    _set_config(ctx, node)


def _set_config(ctx: Context, node: Node) -> None:
    """SELECT set_config(..) as the whole statement does what SET does."""
    targets = node.get("targetList", ())
    call = targets[0]["ResTarget"]["val"].get("FuncCall", {}) if len(targets) == 1 else {}
    if split_name(call.get("funcname"))[1] != "set_config" or len(call.get("args", ())) != 3:
        return
    name, value, local = (fold(argument) for argument in call["args"])
    if name is not None and value is not None:
        values = [each.strip() for each in value.split(",")]
        apply_setting(ctx, name.lower(), values, local=local == "True")


def execute(ctx: Context, node: Node) -> None:
    """EXECUTE of a prepared statement does what that statement does."""
    query = ctx.prepared.get(node["name"])
    if query is None:
        unknown(ctx, "ExecuteStmt")
        return
    assert ctx.step is not None
    before = len(ctx.step.operations)
    for tag, body in query.items():
        ctx.look(ctx, tag, body)
    for operation in ctx.step.operations[before:][:1]:
        operation.type = "EXECUTE"
        read_sources(ctx, {"args": node.get("params", [])}, operation)


_HOLD = 0x20
"""CURSOR_OPT_HOLD (parsenodes.h)."""


def declare_cursor(ctx: Context, node: Node) -> None:
    """What it reads is held from now on, as by a query that runs."""
    operation = ctx.operation("DECLARE_CURSOR")
    for body in node["query"].values():
        read_sources(ctx, body, operation)
    held = node.get("options", 0) & _HOLD
    if ctx.step is not None and not ctx.step.in_block and not ctx.body_depth and not held:
        ctx.error(
            "transaction",
            "DECLARE CURSOR can only be used in a transaction block",
            remedy="write BEGIN; before it, and COMMIT; after its last FETCH",
        )


def copy(ctx: Context, node: Node) -> None:
    operation = ctx.operation("COPY")
    if "query" in node:
        (tag, body), *_ = node["query"].items()
        if tag in CHANGES:
            change(ctx, tag, body, operation)
        else:
            read_sources(ctx, body, operation)
            nested_changes(ctx, body, operation)
        return
    relation = ctx.relation(node["relation"])
    if relation is None:
        return
    operation.touch(relation)
    check_columns(ctx, relation, strings(node.get("attlist")), node["relation"].get("location"))
    if node.get("is_from"):
        operation.lock(relation, Lock.ROW_EXCLUSIVE)
        read_bounds(ctx, relation, operation)
        fire(ctx, relation, "INSERT", operation)
        return
    if relation.partition_key is not None:
        ctx.error(
            "catalog",
            f'cannot copy from the partitioned table "{relation.shown}"',
            at=node["relation"].get("location"),
            remedy="COPY (SELECT ..) TO",
        )
    hold_read(ctx, relation, operation, scan=True)
