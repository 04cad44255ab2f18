"""Columns and constraints that tables share with those that inherit from them."""

from __future__ import annotations

from shared.sql.context import Context
from shared.sql.effects import Operation
from shared.sql.locks import Lock
from shared.sql.schema_objects import Relation


def check_inherited(
    ctx: Context, relation: Relation, name: str, what: str, *, alone: bool = False
) -> None:
    """A column that comes from a parent is changed there; one that children have, with them."""
    for key in relation.parents if relation.bound is None else ():
        parent = ctx.catalog.relations.get(key)
        if parent is not None and name in (parent.columns or {}):
            ctx.error(
                "catalog",
                f'cannot {what} the column "{name}" of {relation.shown}: it is inherited '
                f"from {parent.shown}",
                remedy=f"{what} it in {parent.shown}",
            )
            return
    if alone and relation.children:
        with_children(ctx, relation, f'the column "{name}" of {relation.shown}')


def with_children(ctx: Context, relation: Relation, what: str) -> None:
    ctx.error(
        "catalog",
        f"{what} cannot be changed alone: its children and partitions have it too",
        remedy=f"leave ONLY out, which reaches all that belongs to {relation.shown}",
    )


def read_bounds(ctx: Context, target: Relation, operation: Operation) -> None:
    """A row that is written to a partition by its name must be within all bounds above it."""
    for key in target.parents if target.bound is not None else ():
        if parent := ctx.catalog.relations.get(key):
            operation.lock(parent, Lock.ACCESS_SHARE)
            read_bounds(ctx, parent, operation)


def share_identity(ctx: Context, parent: Relation | None, partition: Relation) -> None:
    """Since 17 a partition has the identity of its parent, and leaves it behind when it is detached
    (`parent` is None); before, each has its own."""
    if ctx.version < 17:
        return
    for name, column in (partition.columns or {}).items():
        above = (parent.columns or {}).get(name) if parent is not None else None
        kept = above is not None and above.identity
        if column.identity or kept:
            column.identity = column.has_default = kept
            column.always = above is not None and above.always
