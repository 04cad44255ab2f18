"""ALTER TABLE .. ADD COLUMN: whether every row gets a value now, or the catalog remembers it."""

from __future__ import annotations

from shared.sql.context import Context
from shared.sql.definitions import (
    ColumnDefinition,
    add_constraint,
    read_column,
    read_constraint,
)
from shared.sql.effects import Operation
from shared.sql.expressions import called, volatility
from shared.sql.extensions import TYPES
from shared.sql.grammar import Node
from shared.sql.keys import check_keys
from shared.sql.locks import Lock
from shared.sql.operations.composite_types import check_typed
from shared.sql.operations.foreign_keys import check_target, look_up_rows
from shared.sql.operations.own_sequences import own_sequence
from shared.sql.operations.routines import follow_behind
from shared.sql.operations.tables import check_definition
from shared.sql.schema_objects import Column, Relation
from shared.sql.types import BUILTIN


def add_column(ctx: Context, relation: Relation, cmd: Node) -> None:
    if relation.doubtful:  # who makes a table anew writes all its columns there
        relation.be_there()
    operation = ctx.operation("ADD_COLUMN", relation)
    node = cmd["def"]["ColumnDef"]
    found = read_column(ctx, node, operation)
    column = found.column
    operation.columns.append(column.name)
    family = ctx.family(relation)
    operation.lock_all(family, Lock.ACCESS_EXCLUSIVE)
    if relation.columns is not None and column.name in relation.columns:
        if not cmd.get("missing_ok"):
            ctx.error(
                "catalog",
                f'column "{column.name}" of relation "{relation.shown}" already exists',
                at=node.get("location"),
            )
        return
    check_typed(ctx, relation, "add a column")
    _check_place(ctx, relation, node)
    check_definition(ctx, found.column, node, relation.columns or {})
    if why := _why_rewritten(ctx, found) or _unknown_type(ctx, relation, column):
        operation.note(why)
        operation.rewrite_all(family)
    if column.default is not None and ctx.catalog.routines:
        follow_behind(ctx, called(column.default), operation)
    if column.not_null and not column.has_default and not column.generated:
        operation.note("not-null-without-default")
    if found.constraints:
        _constraints(ctx, relation, found, operation, family)
    _put(ctx, relation, found, family)


def _unknown_type(ctx: Context, relation: Relation, column: Column) -> str:
    """Without a schema a user's type may be a domain with a constraint, and is taken for one; an
    array of one is empty where nothing is given, and written nowhere."""
    type_ = column.type
    known = type_.name in BUILTIN or type_.key in ctx.catalog.types or type_.name in TYPES
    if known or ctx.catalog.complete or not relation.live or type_.array:
        return ""
    ctx.cannot_see(
        f"whether the type {type_} is a domain with a constraint, for which every row is "
        "written anew"
    )
    return "unknown-type"


def _put(ctx: Context, relation: Relation, found: ColumnDefinition, family: list[Relation]) -> None:
    """Carry the catalog on."""
    column = found.column
    for member in family:
        ctx.new_columns.add((member.key, column.name))
        if member.columns is not None:
            member.columns[column.name] = column
    if found.serial or column.identity:
        key = own_sequence(ctx, relation, column.name)
        column.sequence = key if found.serial else None
    if relation.live and ctx.step is not None:
        ctx.step.rows_change = True


def _check_place(ctx: Context, relation: Relation, node: Node) -> None:
    if relation.bound is not None:
        ctx.error(
            "catalog",
            f"cannot add a column to {relation.shown}: it is a partition",
            at=node.get("location"),
            remedy="add the column to the partitioned table",
        )
    elif ctx.only and relation.children:
        ctx.error(
            "catalog",
            f"a column must be added to the partitions of {relation.shown} too",
            at=node.get("location"),
            remedy="leave ONLY out",
        )


def _why_rewritten(ctx: Context, found: ColumnDefinition) -> str:
    """Why every row gets a value written at once; empty when the catalog remembers it."""
    column = found.column
    if found.serial:
        return "serial"
    if column.identity:
        return "identity"
    if column.generated == "s":
        return "generated-stored"
    if column.default is not None and volatility(ctx, column.default) == "volatile":
        return "volatile-default"
    user_type = ctx.catalog.types.get(column.type.key)
    if column.type.array:
        return ""
    if user_type is not None and user_type.kind == "domain" and user_type.constrained:
        return "constrained-domain"
    return ""


def _constraints(
    ctx: Context,
    relation: Relation,
    found: ColumnDefinition,
    operation: Operation,
    family: list[Relation],
) -> None:
    column = found.column
    columns = None if relation.columns is None else relation.columns | {column.name: column}
    for node in found.constraints:
        constraint = read_constraint(ctx, relation, node, operation, column.name)
        before, relation.columns = relation.columns, columns
        check_keys(ctx, relation, constraint, node, operation)
        target = ctx.catalog.relations.get(constraint.refers_to) if constraint.refers_to else None
        if target is not None:
            operation.touch(target)
            operation.lock(target, Lock.SHARE_ROW_EXCLUSIVE)
            check_target(ctx, relation, target, constraint)
        relation.columns = before
        add_constraint(ctx, relation, constraint)
        operation.note(f"inline {constraint.kind}")
        if constraint.valid and (constraint.kind != "foreign key" or column.has_default):
            operation.scan_all(family)
            if constraint.kind == "foreign key":
                look_up_rows(family, target, operation)
