"""ALTER COLUMN .. TYPE: whether rows are copied, indexes rebuilt, constraints checked again."""

from __future__ import annotations

from collections.abc import Iterator

from shared.domain.kinds import Kind
from shared.sql.context import Context
from shared.sql.definitions import check_columns
from shared.sql.effects import Operation
from shared.sql.expressions import check_calls, columns
from shared.sql.grammar import Node
from shared.sql.locks import Lock
from shared.sql.names import strings
from shared.sql.operations.composite_types import check_typed
from shared.sql.operations.foreign_keys import comparable, look_up_rows
from shared.sql.operations.inheritance import check_inherited
from shared.sql.operator_classes import check_type
from shared.sql.schema_objects import Column, Constraint, Index, Relation, Type
from shared.sql.types import Change, assignable, change, read_type, resolved

UTC = frozenset({"utc", "gmt", "etc/utc", "etc/gmt", "uct", "zulu", "universal", "greenwich"})


def alter_type(ctx: Context, relation: Relation, cmd: Node) -> None:
    operation = ctx.operation("ALTER_COLUMN_TYPE", relation)
    name, definition = cmd["name"], cmd["def"]["ColumnDef"]
    operation.columns.append(name)
    new = ctx.type_of(definition["typeName"], operation)
    family = ctx.family(relation)
    for member in family:
        operation.lock(member, Lock.ACCESS_EXCLUSIVE)
    if not check_columns(ctx, relation, [name], None):
        return
    column = (relation.columns or {}).get(name)
    using = definition.get("raw_default")
    check_calls(ctx, using, operation)
    if relation.live and ctx.step is not None:
        ctx.step.rows_change = True
    if column is None:
        _unknown(relation, name, operation)
        return
    _refusals(ctx, relation, column, new, using)
    _check_indexes(ctx, relation, name, new, operation)
    cost = _cost(ctx, column, new, using)
    collation = _collation(definition)
    recollated = collation != (column.collation or DEFAULT)
    _effects(ctx, family, column, operation, cost, recollated=recollated)
    if using is not None and name not in columns(using) and relation.live:
        operation.destroys += (f"every value of {relation.label}.{name} is overwritten",)
    if cost in ("same", "free") and relation.live and not operation.scans:
        operation.note("free")
    for member in family:
        if member.columns is not None and name in member.columns:
            member.columns[name].type = new
            member.columns[name].collation = None if collation == DEFAULT else collation


DEFAULT = "default"
"""The collation of a column for which none was given."""


def _collation(definition: Node) -> str:
    """Without COLLATE the column has its type's own afterwards, whatever it had before."""
    given = definition.get("collClause")
    return DEFAULT if given is None else strings(given["collname"])[-1]


def _check_indexes(
    ctx: Context, relation: Relation, name: str, new: Type, operation: Operation
) -> None:
    """Indexes are made again: their access methods must have a class for the new type."""
    for index in ctx.catalog.indexes_over(relation):
        if index.method and index.plain and name in index.columns:
            check_type(ctx, new, index.method, operation)


def _unknown(relation: Relation, name: str, operation: Operation) -> None:
    """Without a schema the old type is not known: taken for a change that copies."""
    operation.rewrite(relation)
    operation.note("old-type-unknown")


def _cost(ctx: Context, column: Column, new: Type, using: Node | None) -> Change:
    cost = change(column.type, new, ctx.catalog, ctx.path)
    if using is not None and not _plain_cast(ctx, using, column.name, new):
        return "copies"
    if cost == "moves-with-time-zone":
        zone = ctx.setting("timezone") or ""
        return "free" if zone.lower() in UTC else "copies"
    return cost


def _plain_cast(ctx: Context, using: Node, name: str, new: Type) -> bool:
    """USING c, or USING c::new: what PostgreSQL would do by itself."""
    if reference := using.get("ColumnRef"):
        return strings(reference["fields"])[-1] == name
    cast = using.get("TypeCast")
    if cast is None:
        return False
    target = resolved(read_type(cast["typeName"]), ctx.catalog, ctx.path)
    return target == new and _plain_cast(ctx, cast["arg"], name, new)


def _refusals(
    ctx: Context, relation: Relation, column: Column, new: Type, using: Node | None
) -> None:
    """What PostgreSQL refuses outright."""
    name, table = column.name, relation.shown
    check_typed(ctx, relation, "alter the type of a column")
    check_inherited(ctx, relation, name, "alter", alone=ctx.only)
    if any(name in (each.partition_key or ()) for each in ctx.family(relation)):
        ctx.error(
            "catalog",
            f'cannot alter column "{name}": it is part of the partition key of {table}',
            remedy="make a new partitioned table and move the rows",
        )
    if relation.bound is not None:
        ctx.error(
            "catalog",
            f'cannot alter the inherited column "{name}" of the partition {table}',
            remedy="alter it on the partitioned table",
        )
    for other, constraint, theirs in _partners(ctx, relation, name):
        if theirs is not None and not comparable(ctx, new, theirs):
            ctx.error(
                "catalog",
                f"foreign key {constraint.name} of {other.shown} ties {table}.{name} to a column "
                f"of type {theirs}: it cannot become {new}",
                remedy=f"drop {constraint.name}, change both columns, and add it again",
            )
    for holder, remedy in _holders(ctx, relation, name):
        ctx.error(
            "catalog",
            f"cannot alter the type of {table}.{name}: {holder} reads it",
            remedy=remedy,
        )
    if using is None and not assignable(column.type, new, ctx.catalog, ctx.path):
        ctx.error(
            "catalog",
            f'column "{name}" of {table} cannot be cast automatically from {column.type} to {new}',
            remedy=f"say how: USING {name}::{new}",
        )
        return
    plain = column.default is not None and not column.generated
    if plain and not assignable(column.type, new, ctx.catalog, ctx.path):
        ctx.error(
            "catalog",
            f'the default of column "{name}" of {table} cannot be cast to {new}',
            remedy=f"ALTER COLUMN {name} DROP DEFAULT first, in the same statement",
        )


def _partners(
    ctx: Context, relation: Relation, name: str
) -> Iterator[tuple[Relation, Constraint, Type | None]]:
    """(owner of a foreign key, the key, type at its other end) for each end at this column."""
    for referrer, constraint in ctx.catalog.referrers_of(relation.key):
        for mine, theirs in zip(constraint.columns, constraint.refers_columns, strict=False):
            if theirs == name:
                column = (referrer.columns or {}).get(mine)
                yield referrer, constraint, column.type if column else None
    for constraint in relation.constraints.values():
        target = ctx.catalog.relations.get(constraint.refers_to) if constraint.refers_to else None
        for mine, theirs in zip(constraint.columns, constraint.refers_columns, strict=False):
            if mine == name and target is not None:
                column = (target.columns or {}).get(theirs)
                yield relation, constraint, column.type if column else None


def _holders(ctx: Context, relation: Relation, name: str) -> Iterator[tuple[str, str]]:
    """(what reads the column, remedy) of everything that keeps its type from changing."""
    for view in ctx.catalog.readers_of(relation.key):
        read = view.reads[relation.key]
        if read is None or name in read:
            yield (
                f"{view.kind} {view.shown}",
                f"drop {view.shown} before and make it again after, in the same file",
            )
    for other in (relation.columns or {}).values():
        if name in other.reads:
            remedy = f"drop {other.name} before and add it again after"
            yield f"the generated column {other.name}", remedy
    for policy, read_columns in relation.policies.items():
        if name in read_columns:
            yield f"policy {policy}", f"drop {policy} before and make it again after"
    for trigger, each in relation.triggers.items():
        if name in each.columns:
            yield f"trigger {trigger}", f"drop {trigger} before and make it again after"


def _effects(
    ctx: Context,
    family: list[Relation],
    column: Column,
    operation: Operation,
    cost: Change,
    *,
    recollated: bool,
) -> None:
    """Indexes with an expression or a predicate are always built again (CheckIndexCompatible)."""
    copies = cost == "copies"
    moved = copies or (cost == "free" and column.type.name.startswith("timestamp"))
    for member in family:
        if member.stored and copies:
            operation.rewrite(member)
        elif member.stored and _checked_again(member, column.name):
            operation.scan(member)
        indexes = [i for i in ctx.catalog.indexes_over(member) if column.name in i.columns]
        computed = any(not i.plain or _is_never_reused(i, member, column) for i in indexes)
        if member.stored and indexes and (moved or recollated or computed):
            operation.scan(member)
            operation.note("index-rebuilt")
    _foreign_keys(ctx, family[0], column, operation, copies=copies)
    if copies and family[0].live:
        operation.needs(
            Kind.RISKY,
            f"the type of {family[0].label}.{column.name} changes from {column.type}: "
            "every row is written again while nobody can read the table",
            "run it as a risky migration: green is rewritten, blue serves",
        )


def _is_never_reused(index: Index, member: Relation, column: Column) -> bool:
    """Whether even the same type builds it again: an index of the partitioned parent has no file to
    take over (TryReuseIndex), and GIN keeps an array's elements, whose type is another
    (CheckIndexCompatible)."""
    return index.table != member.key or (index.method == "gin" and column.type.array)


def _foreign_keys(
    ctx: Context, relation: Relation, column: Column, operation: Operation, *, copies: bool
) -> None:
    """Foreign keys on both ends are made again, even for the same type."""
    for referrer, constraint in ctx.catalog.referrers_of(relation.key):
        if column.name in constraint.refers_columns:
            operation.lock(referrer, Lock.ACCESS_EXCLUSIVE)
            if copies:
                operation.scan(referrer)
    for constraint in relation.constraints.values():
        if constraint.refers_to and column.name in constraint.columns:
            target = ctx.catalog.relations.get(constraint.refers_to)
            operation.lock(target, Lock.ACCESS_EXCLUSIVE)
            if copies:
                look_up_rows(ctx.family(relation), target, operation)


def _checked_again(relation: Relation, name: str) -> bool:
    """Whether a CHECK on the column is run over all rows, even for the same type."""
    return any(
        c.kind == "check" and name in c.columns and c.valid for c in relation.constraints.values()
    )
