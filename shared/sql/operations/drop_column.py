"""ALTER TABLE .. DROP COLUMN: the values, and everything that hangs on the column."""

from __future__ import annotations

from functools import partial

from shared.sql.context import Context
from shared.sql.definitions import check_columns
from shared.sql.effects import Operation
from shared.sql.grammar import Node
from shared.sql.locks import Lock
from shared.sql.operations.composite_types import check_typed
from shared.sql.operations.inheritance import check_inherited
from shared.sql.operations.own_sequences import loses_drawers
from shared.sql.schema_objects import Relation


def drop_column(ctx: Context, relation: Relation, cmd: Node) -> None:
    operation = ctx.operation("DROP_COLUMN", relation)
    name, cascade = cmd["name"], cmd.get("behavior") == "DROP_CASCADE"
    operation.columns.append(name)
    family = ctx.family(relation)
    operation.lock_all([*family, *_children(ctx, relation)], Lock.ACCESS_EXCLUSIVE)
    if cmd.get("missing_ok") and relation.columns is not None and name not in relation.columns:
        return
    if not check_columns(ctx, relation, [name], None):
        return
    check_typed(ctx, relation, "drop a column")
    check_inherited(ctx, relation, name, "drop")
    if ctx.only and relation.partition_key is not None and relation.children:
        ctx.error(
            "catalog",
            f"cannot drop a column of {relation.shown} alone: its partitions have it too",
            remedy="leave ONLY out",
        )
    if relation.bound is not None:
        ctx.error(
            "catalog",
            f'cannot drop the inherited column "{name}" of the partition {relation.shown}',
            remedy="drop it from the partitioned table",
        )
        return
    if relation.partition_key and name in relation.partition_key:
        ctx.error("catalog", f'column "{name}" is part of the partition key of {relation.shown}')
    if relation.live:
        added = (relation.key, name) in ctx.new_columns
        if (relation.stored or relation.partition_key is not None) and not added:
            operation.destroys += (f"every value of {relation.label}.{name}",)
        if ctx.step is not None:
            ctx.step.rows_change = True
    _dependants(ctx, relation, name, operation, cascade=cascade)
    for member in family:
        forget_column(ctx, member, name, operation)


def _children(ctx: Context, relation: Relation) -> list[Relation]:
    """With ONLY too: each child is told that the column is its own now."""
    return [child for key in relation.children if (child := ctx.catalog.relations.get(key))]


def _dependants(
    ctx: Context, relation: Relation, name: str, operation: Operation, *, cascade: bool
) -> None:
    """Views, foreign keys, generated columns and policies that hold the column."""
    refuse = partial(_cannot_drop, ctx, relation, name)
    for view in ctx.catalog.readers_of(relation.key):
        read = view.reads[relation.key]
        if read is None or name in read:
            if cascade:
                drop_with(ctx, view, operation)
            else:
                refuse(
                    f"{view.kind} {view.shown} reads it",
                    f"drop {view.shown} first and make it again afterwards, or say CASCADE",
                )
    for referrer, constraint in ctx.catalog.referrers_of(relation.key):
        if name in constraint.refers_columns and referrer is not relation:
            if cascade:
                operation.gone += (f"constraint {constraint.name} on {referrer.shown}",)
                operation.lock(referrer, Lock.ACCESS_EXCLUSIVE)
                referrer.constraints.pop(constraint.name, None)
            else:
                refuse(
                    f"foreign key {constraint.name} of {referrer.shown} points at it",
                    f"drop the constraint {constraint.name} first",
                )
    for sequence in ctx.catalog.sequences_of(relation.key):
        if sequence.owned_by == (relation.key, name):
            going = {each.key for each in (relation, *ctx.catalog.partitions_of(relation))}
            loses_drawers(ctx, sequence, operation, going, cascade=cascade)
    _computed(ctx, relation, name, operation, cascade=cascade)


def _computed(
    ctx: Context, relation: Relation, name: str, operation: Operation, *, cascade: bool
) -> None:
    for column in list((relation.columns or {}).values()):
        if name in column.reads and column.name != name:
            if cascade:
                operation.gone += (f"column {relation.shown}.{column.name}",)
                if relation.live and column.generated == "s":
                    operation.destroys += (f"every value of {relation.label}.{column.name}",)
                forget_column(ctx, relation, column.name, operation)
            else:
                _cannot_drop(ctx, relation, name, f"the generated column {column.name} reads it")
    held = {f"policy {policy}": read for policy, read in relation.policies.items()}
    held |= {f"trigger {name_}": each.columns for name_, each in relation.triggers.items()}
    for what, read_columns in held.items():
        if name in read_columns:
            if cascade:
                operation.gone += (what,)
            else:
                _cannot_drop(ctx, relation, name, f"{what} names it")


def column_goes(ctx: Context, relation: Relation, name: str, operation: Operation) -> None:
    """A column that goes because its type does, with all that hangs on it."""
    operation.gone += (f"column {relation.shown}.{name}",)
    family = [relation, *ctx.catalog.partitions_of(relation)]
    operation.lock_all(family, Lock.ACCESS_EXCLUSIVE)
    if relation.live:
        operation.destroys += (f"every value of {relation.label}.{name}",)
    _dependants(ctx, relation, name, operation, cascade=True)
    for member in family:
        forget_column(ctx, member, name, operation)


def _cannot_drop(ctx: Context, relation: Relation, name: str, why: str, remedy: str = "") -> None:
    ctx.error("catalog", f"cannot drop column {name} of {relation.shown}: {why}", remedy=remedy)


def drop_with(ctx: Context, relation: Relation, operation: Operation) -> None:
    """A view goes with what it reads, and every view that reads it goes too."""
    operation.gone += (f"{relation.kind} {relation.shown}",)
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    for view in ctx.catalog.readers_of(relation.key):
        drop_with(ctx, view, operation)
    ctx.catalog.relations.pop(relation.key, None)


def forget_column(ctx: Context, relation: Relation, name: str, operation: Operation) -> None:
    for index in ctx.catalog.indexes_of(relation.key):
        if name in index.columns:
            if index.constraint is None:
                operation.gone += (f"index {index.name}",)
            del ctx.catalog.indexes[(index.schema, index.name)]
    for constraint in list(relation.constraints.values()):
        if name in constraint.columns:
            operation.gone += (f"constraint {constraint.name}",)
            del relation.constraints[constraint.name]
            if constraint.refers_to is not None:
                target = ctx.catalog.relations.get(constraint.refers_to)
                operation.lock(target, Lock.ACCESS_EXCLUSIVE)
    for sequence in ctx.catalog.sequences_of(relation.key):
        if sequence.owned_by == (relation.key, name):
            operation.gone += (f"sequence {sequence.shown}",)
            del ctx.catalog.relations[sequence.key]
    if relation.columns is not None:
        relation.columns.pop(name, None)
