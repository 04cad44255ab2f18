"""Whether a foreign key can point where it says: a unique key, columns that can be compared."""

from __future__ import annotations

from shared.sql.context import Context
from shared.sql.definitions import check_columns
from shared.sql.effects import Operation
from shared.sql.schema_objects import Constraint, Relation, Type
from shared.sql.types import base_type, resolved


def check_target(
    ctx: Context, relation: Relation, target: Relation, constraint: Constraint
) -> None:
    if target.columns is None:
        return
    if not check_columns(ctx, target, list(constraint.refers_columns), None):
        return
    columns = set(constraint.refers_columns)
    unique = any(
        index.unique and index.plain and set(index.columns) == columns
        for index in ctx.catalog.indexes_over(target)
    )
    if not columns or not unique:
        ctx.error(
            "catalog",
            f"no unique constraint on {target.shown} ({', '.join(sorted(columns))}): "
            "a foreign key cannot point there",
            remedy=f"add a unique constraint to {target.shown} first",
        )
        return
    for mine, theirs in zip(constraint.columns, constraint.refers_columns, strict=False):
        one, other = (relation.columns or {}).get(mine), target.columns.get(theirs)
        if one is not None and other is not None and not comparable(ctx, one.type, other.type):
            ctx.error(
                "catalog",
                f'foreign key "{constraint.name}" cannot be made: {relation.shown}.{mine} is '
                f"{one.type}, {target.shown}.{theirs} is {other.type}",
            )


def look_up_rows(family: list[Relation], target: Relation | None, operation: Operation) -> None:
    """Each row that is there is looked up in `target`, which no writer gets at meanwhile: not of a
    table that the file made and put no row into."""
    if any(member.live or member.filled for member in family):
        operation.scan(target)


_FAMILIES = (
    {"int2", "int4", "int8", "numeric", "float4", "float8"},
    {"text", "varchar", "bpchar", "name", "citext"},
    {"date", "timestamp", "timestamptz"},
    {"inet", "cidr"},
)


def comparable(ctx: Context, one: Type, other: Type) -> bool:
    """Whether an index on `other` can find values of `one`."""
    first = base_type(resolved(one, ctx.catalog, ctx.path), ctx.catalog).name
    second = base_type(resolved(other, ctx.catalog, ctx.path), ctx.catalog).name
    if "unknown" in (first, second) or first == second:
        return True
    return any(first in family and second in family for family in _FAMILIES)
