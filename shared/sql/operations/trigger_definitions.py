"""CREATE TRIGGER: what it locks, and what it must find."""

from __future__ import annotations

from shared.sql.context import Context
from shared.sql.definitions import check_columns
from shared.sql.grammar import Node
from shared.sql.locks import Lock
from shared.sql.names import shown, split_name, strings
from shared.sql.operations.trigger_refusals import check
from shared.sql.triggers import read_trigger
from shared.sql.words import words


def create_trigger(ctx: Context, node: Node) -> None:
    relation = ctx.relation(node["relation"])
    operation = ctx.operation("CREATE_TRIGGER", relation)
    schema, name = split_name(node.get("funcname"))
    known = ctx.catalog.routines_named(schema, name, ctx.path)
    if not known and ctx.catalog.complete and name not in _BUILTIN_TRIGGERS:
        ctx.error("catalog", f"function {shown(schema, name)}() does not exist")
    if relation is None:
        return
    operation.lock(relation, Lock.SHARE_ROW_EXCLUSIVE)
    if node.get("row") and relation.partition_key is not None:
        operation.lock_all(ctx.catalog.partitions_of(relation), Lock.SHARE_ROW_EXCLUSIVE)
    if "constrrel" in node:
        operation.lock(ctx.relation(node["constrrel"]), Lock.ACCESS_SHARE)
    if node["trigname"] in relation.triggers and not node.get("replace"):
        ctx.error("catalog", f'trigger "{node["trigname"]}" for "{relation.shown}" already exists')
    key = (known[0].schema, known[0].name) if known else None
    check_columns(ctx, relation, strings(node.get("columns")), node["relation"].get("location"))
    relation.triggers[node["trigname"]] = read_trigger(node, key)
    if not ctx.building:
        check(ctx, relation, node, known)


_BUILTIN_TRIGGERS = words("""
    suppress_redundant_updates_trigger tsvector_update_trigger tsvector_update_trigger_column
    moddatetime""")
