"""VACUUM, ANALYZE, CLUSTER: upkeep that a file may ask for."""

from __future__ import annotations

from shared.domain.kinds import Kind
from shared.sql.context import Context
from shared.sql.definitions import check_columns
from shared.sql.effects import Operation
from shared.sql.grammar import Node
from shared.sql.locks import Lock
from shared.sql.names import flag, strings
from shared.sql.operations.routines import follow_behind
from shared.sql.schema_objects import Relation


def vacuum(ctx: Context, node: Node) -> None:
    is_vacuum = bool(node.get("is_vacuumcmd"))
    full = is_vacuum and flag(node.get("options"), "full")
    operation = ctx.operation("VACUUM_FULL" if full else "VACUUM" if is_vacuum else "ANALYZE")
    if is_vacuum and ctx.step is not None:
        ctx.step.outside_block = True
    named = node.get("rels")
    if named is None and ctx.catalog.complete is False:
        ctx.cannot_see("which tables a VACUUM or ANALYZE of everything reaches")
    found = (
        [(r, True) for r in ctx.catalog.relations.values() if r.kind in _KEPT_UP]
        if named is None
        else _named(ctx, named, is_vacuum=is_vacuum)
    )
    if any([index.calls for index in ctx.catalog.indexes.values()]):
        for relation, _ in found:
            operation.touch(relation)
            for index in ctx.catalog.indexes_over(relation):
                follow_behind(ctx, index.calls, operation)
    else:
        operation.tables += dict.fromkeys([relation.label for relation, _ in found])
    read: list[Relation] = []
    for relation, everything in found:
        members = ctx.catalog.partitions_of(relation) if relation.children else []
        _lock(operation, relation, members, full=full, everything=everything, is_vacuum=is_vacuum)
        read += [relation, *members] if everything else [relation]
    if full:
        operation.rewrite_all(read)
    elif is_vacuum:
        operation.scan_all(read)
    if full:
        operation.needs(
            Kind.MAINTENANCE,
            "VACUUM FULL writes a new copy of the table while nobody can read it",
            "plain VACUUM, or pg_repack outside of the migration",
        )


_KEPT_UP = ("table", "materialized view")


def _named(ctx: Context, rels: list[Node], *, is_vacuum: bool) -> list[tuple[Relation, bool]]:
    found = []
    for each in rels:
        node = each["VacuumRelation"]["relation"]
        only = not node.get("inh", False)
        if only and ctx.version < 18:
            words = "VACUUM" if is_vacuum else "ANALYZE"
            ctx.error(
                "version",
                f"{words} ONLY came with PostgreSQL 18; the server is {ctx.version}",
                at=node.get("location"),
            )
        relation = ctx.relation(node)
        if relation is not None:
            check_columns(ctx, relation, strings(each["VacuumRelation"].get("va_cols")), None)
            found.append((relation, not only))
    return found


def _lock(
    operation: Operation,
    relation: Relation,
    members: list[Relation],
    *,
    full: bool,
    everything: bool,
    is_vacuum: bool,
) -> None:
    mode = Lock.ACCESS_EXCLUSIVE if full else Lock.SHARE_UPDATE_EXCLUSIVE
    operation.lock(relation, mode)
    for member in members:
        if everything:
            operation.lock(member, mode)
        elif member.stored and not is_vacuum:  # ANALYZE takes a sample of all
            operation.lock(member, Lock.ACCESS_SHARE)


def _check_order(ctx: Context, relation: Relation, name: str | None) -> None:
    """The index that gives the order: named, or remembered from an earlier CLUSTER."""
    if not ctx.catalog.complete:
        return
    wanted = name or relation.clustered_on
    if wanted is None:
        ctx.error(
            "catalog",
            f"{relation.shown} was not clustered before: no index gives the order",
            remedy="CLUSTER .. USING an index",
        )
        return
    if ctx.index_of(relation, wanted) is None:
        ctx.error("catalog", f'"{wanted}" is not an index of table "{relation.shown}"')
    relation.clustered_on = wanted


def cluster(ctx: Context, node: Node) -> None:
    operation = ctx.operation("CLUSTER")
    operation.needs(
        Kind.MAINTENANCE,
        "CLUSTER writes a new copy of the table while nobody can read it",
        "pg_repack outside of the migration, or a maintenance window",
    )
    if "relation" not in node:
        if ctx.step is not None:
            ctx.step.outside_block = True
        return
    relation = ctx.relation(node["relation"])
    name = node.get("indexname")
    if relation is None:
        return
    _check_order(ctx, relation, name)
    operation.touch(relation)
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    for member in [relation, *ctx.catalog.partitions_of(relation)]:
        operation.lock(member, Lock.ACCESS_EXCLUSIVE)
        if member.stored:
            operation.rewrite(member)
