"""ATTACH and DETACH PARTITION, and what proves that an attached table needs no scan."""

from __future__ import annotations

from shared.domain.kinds import Kind
from shared.sql.context import Context
from shared.sql.effects import Operation
from shared.sql.grammar import Node
from shared.sql.locks import Lock
from shared.sql.operations.foreign_keys import look_up_rows
from shared.sql.operations.inheritance import read_bounds, share_identity
from shared.sql.operations.partition_bounds import (
    bound_of,
    excludes_bound,
    meet,
    proves_bound,
)
from shared.sql.partition_indexes import keep
from shared.sql.schema_objects import Constraint, Relation


def attach(ctx: Context, relation: Relation, cmd: Node) -> None:
    body = cmd["def"]["PartitionCmd"]
    child = ctx.relation(body["name"])
    operation = ctx.operation("ATTACH_PARTITION", relation, child)
    operation.lock(relation, Lock.SHARE_UPDATE_EXCLUSIVE)
    if relation.columns is not None and relation.partition_key is None and not relation.presumed:
        ctx.error("catalog", f'"{relation.shown}" is not partitioned')
    if child is not None and child.bound is not None:
        ctx.error("catalog", f'"{child.shown}" is already a partition')
        return
    overlap(ctx, relation, body.get("bound"), child.shown if child else "")
    if child is None:
        return
    members = [child, *ctx.catalog.partitions_of(child)]
    operation.lock_all(members, Lock.ACCESS_EXCLUSIVE)
    _same_columns(ctx, relation, child)
    bound = body.get("bound") or {}
    proved = proves_bound(ctx, relation, child, bound)
    if not proved or _must_be_made(ctx, relation, child):
        operation.scan_all(members)
    for constraint in _foreign_keys(relation, child):
        target = ctx.catalog.relations.get(constraint.refers_to or relation.key)
        operation.lock(target, Lock.SHARE_ROW_EXCLUSIVE)
        look_up_rows(members, target, operation)
    scan_default(ctx, relation, bound, operation, proved=proved)
    link(ctx, relation, child, bound)
    share_identity(ctx, relation, child)
    if ctx.step is not None:
        ctx.step.attached |= {child.label}
        ctx.attached[child.label] = ctx.block


def _must_be_made(ctx: Context, parent: Relation, child: Relation) -> bool:
    """Whether the parent has an index or a foreign key that the new partition has not: it is built,
    or checked, over all its rows."""
    if child.columns is None:
        return False
    own = ctx.catalog.indexes_of(child.key)
    wanted = ctx.catalog.indexes_over(parent)  # also one that was made for ONLY the parent
    return bool(_foreign_keys(parent, child)) or any(
        not any(
            o.columns == w.columns
            and o.unique >= w.unique
            and bool(o.constraint) >= bool(w.constraint)
            for o in own
        )
        for w in wanted
    )


def _foreign_keys(parent: Relation, child: Relation) -> list[Constraint]:
    """Those of the parent that the new partition does not have."""
    own = {(c.columns, c.refers_to) for c in child.constraints.values() if c.valid}
    return [
        constraint
        for constraint in parent.constraints.values()
        if constraint.kind == "foreign key"
        and (constraint.columns, constraint.refers_to) not in own
    ]


def _same_columns(ctx: Context, parent: Relation, child: Relation) -> None:
    if parent.columns is None or child.columns is None:
        return
    if ctx.version >= 17 and any(column.identity for column in child.columns.values()):
        ctx.error(
            "catalog",
            f"{child.shown} cannot become a partition of {parent.shown}: it has an identity column",
            remedy="ALTER COLUMN .. DROP IDENTITY first: it gets the identity of its parent",
        )
    extra = sorted(set(child.columns) - set(parent.columns))
    missing = sorted(set(parent.columns) - set(child.columns))
    if extra or missing:
        what = f"has the column {extra[0]} more" if extra else f"lacks the column {missing[0]}"
        ctx.error(
            "catalog",
            f"{child.shown} cannot become a partition of {parent.shown}: it {what}",
            remedy="make the columns of both tables the same first",
        )


def link(ctx: Context, parent: Relation, child: Relation, bound: Node) -> None:
    child.parents.append(parent.key)
    parent.children.append(child.key)
    child.bound = bound
    ctx.catalog.note(parent)


def scan_default(
    ctx: Context, parent: Relation, bound: Node, operation: Operation, *, proved: bool = False
) -> None:
    """The DEFAULT partition is searched for rows that belong to a new one. `proved`: the new one's
    own rows are known to fit; who saw to that would have seen to a DEFAULT partition too."""
    if bound.get("is_default"):
        return
    default = default_partition(ctx, parent)
    if default is None and parent.presumed:
        default = _presumed_default(ctx, parent, bound, proved=proved)
    if default is None:
        return
    operation.lock(default, Lock.ACCESS_EXCLUSIVE)
    for member in [default, *ctx.catalog.partitions_of(default)]:
        if member.stored and not excludes_bound(ctx, parent, [member], bound):
            operation.scan(member)
            operation.note("default-partition-scanned")


def _presumed_default(
    ctx: Context, parent: Relation, bound: Node, *, proved: bool
) -> Relation | None:
    """Of a parent that no schema tells of: one, unless the file has proved of another table that it
    has no row for the bound. Hashes have none."""
    every = [each for each in ctx.catalog.relations.values() if each.presumed]
    if bound.get("strategy") == "h" or excludes_bound(ctx, parent, every, bound):
        return None
    ctx.cannot_see(
        f"whether {parent.shown} has a DEFAULT partition, which would be searched while "
        "nobody can use it"
    )
    return None if proved else ctx.stand_in(f"the DEFAULT partition of {parent.shown} (if any)")


def default_partition(ctx: Context, parent: Relation) -> Relation | None:
    for key in parent.children:
        child = ctx.catalog.relations.get(key)
        if child is not None and (child.bound or {}).get("is_default"):
            return child
    return None


def detach(ctx: Context, relation: Relation, cmd: Node) -> None:
    body = cmd["def"]["PartitionCmd"]
    concurrent = bool(body.get("concurrent"))
    child = ctx.relation(body["name"])
    type_ = "DETACH_PARTITION_CONCURRENTLY" if concurrent else "DETACH_PARTITION"
    operation = ctx.operation(type_, relation, child)
    operation.lock(relation, Lock.SHARE_UPDATE_EXCLUSIVE if concurrent else Lock.ACCESS_EXCLUSIVE)
    for member in [child, *ctx.catalog.partitions_of(child)] if child is not None else ():
        operation.lock(member, Lock.ACCESS_EXCLUSIVE)
    default = default_partition(ctx, relation)
    if concurrent and default is not None:
        ctx.error(
            "catalog",
            f"{relation.shown} has a default partition ({default.shown}): "
            "a partition cannot be detached CONCURRENTLY",
            remedy="detach the default partition first",
        )
    elif default is not None:
        operation.lock(default, Lock.ACCESS_EXCLUSIVE)
    if concurrent and ctx.step is not None:
        ctx.step.outside_block = True
        if relation.partition_strategy != "h":  # what a hash says cannot stand in a CHECK
            read_bounds(ctx, relation, operation)
    if child is None:
        return
    if relation.columns is not None and child.key not in relation.children:
        ctx.error("catalog", f'"{child.shown}" is not a partition of "{relation.shown}"')
    elif child.key in relation.children:
        keep(ctx.catalog, relation, child)
        relation.children.remove(child.key)
        child.parents.remove(relation.key)
        share_identity(ctx, None, child)
    child.bound = None
    if not concurrent and relation.live:
        operation.needs(
            Kind.SAFE,
            f"{relation.label} is held in ACCESS EXCLUSIVE for an instant",
            "DETACH PARTITION .. CONCURRENTLY does without",
        )


def overlap(ctx: Context, parent: Relation, bound: Node | None, name: str) -> None:
    """A problem when the new bounds cover what another partition already covers."""
    if not bound:
        return
    for key in parent.children:
        other = ctx.catalog.relations.get(key)
        theirs = other.bound if other is not None else None
        if other is None or not theirs:
            continue
        if (
            _both_default(bound, theirs)
            or _values_meet(ctx, parent, bound, theirs)
            or _remainders_meet(bound, theirs)
        ):
            ctx.error("catalog", f'partition "{name}" would overlap partition "{other.shown}"')


def _both_default(one: Node, other: Node) -> bool:
    return bool(one.get("is_default") and other.get("is_default"))


def _remainders_meet(one: Node, other: Node) -> bool:
    """Some hash has both remainders; the smaller modulus is a factor of the larger one."""
    if one.get("strategy") != "h" or other.get("strategy") != "h":
        return False
    smaller = min(one.get("modulus", 1), other.get("modulus", 1))
    remainders = {each.get("remainder", 0) % smaller for each in (one, other)}
    return len(remainders) == 1


def _values_meet(ctx: Context, parent: Relation, one: Node, other: Node) -> bool:
    """Not looked at for a range over several columns."""
    if {one.get("strategy"), other.get("strategy")} - {"l", "r"}:
        return False
    if any(len(each.get("lowerdatums", ())) > 1 for each in (one, other)):
        return False
    return meet(bound_of(ctx, parent, one), bound_of(ctx, parent, other))
