"""Indexes: made, dropped, altered."""

from __future__ import annotations

from shared.sql import operator_classes
from shared.sql.chosen_names import chosen, key_names
from shared.sql.context import Context
from shared.sql.definitions import (
    check_columns,
    check_operator_classes,
    index_columns,
    index_method,
)
from shared.sql.effects import Operation
from shared.sql.expressions import called, check_calls
from shared.sql.extensions import ACCESS_METHODS, BUILTIN_ACCESS_METHODS
from shared.sql.grammar import Node
from shared.sql.keys import covers_partition_key
from shared.sql.locks import Lock
from shared.sql.names import range_var, shown
from shared.sql.operations.routines import follow_behind
from shared.sql.partition_indexes import drop
from shared.sql.row_expressions import changing, check_row
from shared.sql.schema_objects import Index, Relation


def create_index(ctx: Context, node: Node) -> None:
    concurrent = bool(node.get("concurrent"))
    relation = ctx.relation(node["relation"])
    type_ = "CREATE_INDEX_CONCURRENTLY" if concurrent else "CREATE_INDEX"
    operation = ctx.operation(type_, relation)
    if concurrent and ctx.step is not None:
        ctx.step.outside_block = True
    _access_method(ctx, node, operation)
    check_operator_classes(ctx, node, operation)
    if relation is None:
        return
    keys = index_columns(node.get("indexParams"), node.get("whereClause"))
    operation.columns += keys
    included = [p["IndexElem"]["name"] for p in node.get("indexIncludingParams", ())]
    check_columns(ctx, relation, [*keys, *included], node["relation"].get("location"))
    operation.lock(relation, Lock.SHARE_UPDATE_EXCLUSIVE if concurrent else Lock.SHARE)
    for param in node.get("indexParams", ()):
        check_calls(ctx, param["IndexElem"].get("expr"), operation)
        _check_expression(ctx, relation, param["IndexElem"].get("expr"))
    _check_expression(ctx, relation, node.get("whereClause"))
    operator_classes.check(ctx, relation, _method(node), node, operation)
    if node.get("unique"):
        covers_partition_key(ctx, relation, "unique", keys)
    if relation.kind == "view":
        ctx.error("catalog", f'cannot create an index on the view "{relation.shown}"')
        return
    if relation.partition_key is not None and concurrent:
        ctx.error(
            "catalog",
            f'an index on the partitioned table "{relation.shown}" cannot be made CONCURRENTLY',
            remedy="CREATE INDEX ON ONLY the parent, CONCURRENTLY on each partition, then attach",
        )
    _make(ctx, relation, node, operation, keys)


def _check_expression(ctx: Context, relation: Relation, expression: Node | None) -> None:
    if ctx.building or not expression:
        return
    check_row(ctx, expression, "an index")
    if why := changing(ctx, relation.columns or {}, expression):
        ctx.error(
            "catalog",
            f"an index holds only what is immutable: {why} is not",
            remedy="index what does not depend on settings, as (at AT TIME ZONE 'UTC')::date",
        )


def _method(node: Node) -> str:
    return str(node.get("accessMethod", "btree"))


def _access_method(ctx: Context, node: Node, operation: Operation) -> None:
    method = _method(node)
    if method in ACCESS_METHODS:
        ctx.require(ACCESS_METHODS[method], f"access method {method}", operation)
    elif method not in BUILTIN_ACCESS_METHODS and ctx.catalog.complete:
        ctx.error("catalog", f'access method "{method}" does not exist')


def _make(
    ctx: Context, relation: Relation, node: Node, operation: Operation, keys: tuple[str, ...]
) -> None:
    params, included = node.get("indexParams", ()), node.get("indexIncludingParams", ())
    own = key_names(each["IndexElem"] for each in (*params, *included))
    name = node.get("idxname") or free_index_name(ctx, relation, own)
    key = (relation.schema, name)
    exists = key in ctx.catalog.indexes or key in ctx.catalog.relations
    if exists and node.get("if_not_exists"):
        return
    if exists:
        ctx.error("catalog", f'relation "{name}" already exists', remedy="choose another name")
    only = not node["relation"].get("inh", False)
    made = Index(
        schema=relation.schema,
        name=name,
        table=relation.key,
        columns=keys,
        own_columns=own,
        calls=called(*(p["IndexElem"].get("expr") for p in params), node.get("whereClause")),
        unique=bool(node.get("unique")),
        valid=not (only and relation.partition_key is not None and relation.children),
        method=index_method(node),
        plain="whereClause" not in node and all("name" in p["IndexElem"] for p in params),
    )
    # Who writes ONLY of a table that no schema tells of means a partitioned one: it has no rows.
    for member in [relation, *([] if only else _partitions(ctx, relation))]:
        operation.lock(member, operation.locks.get(relation.label, Lock.SHARE))
        if member.stored and not (only and member.presumed) and not _has_one(ctx, member, made):
            operation.scan(member)
    ctx.catalog.indexes[key] = made
    follow_behind(ctx, made.calls, operation)


def _partitions(ctx: Context, relation: Relation) -> list[Relation]:
    """Those that share its indexes; tables that inherit from it do not."""
    return [each for each in ctx.catalog.partitions_of(relation) if each.bound is not None]


def _has_one(ctx: Context, member: Relation, made: Index) -> bool:
    """Whether a partition has the index already that a new one of its parent asks of it."""
    asked = (made.columns, made.unique, True, made.method or None)
    return member.bound is not None and any(
        (own.columns, own.unique, own.plain, own.method) == asked
        for own in ctx.catalog.indexes_of(member.key)
    )


def free_index_name(ctx: Context, relation: Relation, names: tuple[str, ...]) -> str:
    """`names`: the columns that the index itself has."""
    number, ending = 0, "idx"
    while (relation.schema, chosen(relation.name, names, ending)) in ctx.catalog.indexes:
        number += 1
        ending = f"idx{number}"
    return chosen(relation.name, names, ending)


def table_of(ctx: Context, index: Index | None, name: str) -> Relation | None:
    if index is not None:
        return ctx.catalog.relations.get(index.table)
    return ctx.stand_in(f"the table of index {name}")


def alter_index(ctx: Context, node: Node) -> None:
    """ALTER INDEX: SET (..), SET TABLESPACE, ATTACH PARTITION, ALTER COLUMN SET STATISTICS."""
    schema, name = range_var(node["relation"])
    index = ctx.index_named(schema, name, missing_ok=bool(node.get("missing_ok")))
    table = table_of(ctx, index, name)
    for wrapped in node.get("cmds", ()):
        cmd = wrapped["AlterTableCmd"]
        if cmd["subtype"] == "AT_SetTableSpace":
            operation = ctx.operation("SET_INDEX_TABLESPACE", table)
            if table is not None:
                operation.hold_indexes(table)
                operation.scan(table)
        elif cmd["subtype"] == "AT_AttachPartition":
            operation = ctx.operation("ATTACH_INDEX_PARTITION", table)
            _attach(ctx, index, cmd, operation)
        else:
            ctx.operation("ALTER_INDEX", table)


def _attach(ctx: Context, parent: Index | None, cmd: Node, operation: Operation) -> None:
    schema, name = range_var(cmd["def"]["PartitionCmd"]["name"])
    child = ctx.index_named(schema, name, missing_ok=False)
    for index in (parent, child):
        if index is not None:
            operation.lock(ctx.catalog.relations.get(index.table), Lock.ACCESS_SHARE)
    if child is not None and parent is not None:
        child.parent = (parent.schema, parent.name)
        _complete(ctx, parent)


def _complete(ctx: Context, index: Index) -> None:
    """An index made for ONLY the parent counts from when each partition has its own attached."""
    table = ctx.catalog.relations.get(index.table)
    key = (index.schema, index.name)
    for partition in table.children if table is not None else ():
        if not any(own.parent == key and own.valid for own in ctx.catalog.indexes_of(partition)):
            return
    index.valid = True
    above = ctx.catalog.indexes.get(index.parent) if index.parent is not None else None
    if above is not None:
        _complete(ctx, above)


def drop_index(ctx: Context, schema: str | None, name: str, node: Node) -> None:
    concurrent = bool(node.get("concurrent"))
    index = ctx.index_named(schema, name, missing_ok=bool(node.get("missing_ok")))
    table = table_of(ctx, index, name)
    operation = ctx.operation("DROP_INDEX_CONCURRENTLY" if concurrent else "DROP_INDEX", table)
    if concurrent and ctx.step is not None:
        ctx.step.outside_block = True
    mode = Lock.SHARE_UPDATE_EXCLUSIVE if concurrent else Lock.ACCESS_EXCLUSIVE
    if index is None:
        operation.lock(table, mode)
        return
    if index.constraint is not None:
        ctx.error(
            "catalog",
            f"cannot drop index {index.name}: the constraint {index.constraint} on "
            f"{shown(*index.table)} requires it",
            remedy=f"ALTER TABLE {shown(*index.table)} DROP CONSTRAINT {index.constraint}",
        )
        return
    if index.parent is not None:
        ctx.error("catalog", f"cannot drop index {index.name}: the parent's index requires it")
    operation.lock(table, mode)
    if table is not None:
        for member in _partitions(ctx, table):
            operation.lock(member, mode)
        if concurrent and table.partition_key is not None:
            ctx.error(
                "catalog",
                f"cannot drop the partitioned index {index.name} CONCURRENTLY",
                remedy="DROP INDEX, which holds the table and its partitions for an instant",
            )
    if index.unique:
        operation.note("unique")
    drop(ctx.catalog, (index.schema, index.name))
