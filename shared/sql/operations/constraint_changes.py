"""ALTER TABLE actions on constraints that are there: validated, dropped, altered."""

from __future__ import annotations

from shared.domain.kinds import Kind
from shared.sql.context import Context
from shared.sql.effects import Operation
from shared.sql.grammar import Node
from shared.sql.locks import Lock
from shared.sql.operations.routines import follow_behind
from shared.sql.partition_indexes import drop as drop_index
from shared.sql.schema_objects import Constraint, Relation


def validate(ctx: Context, relation: Relation, cmd: Node) -> None:
    operation = ctx.operation("VALIDATE_CONSTRAINT", relation)
    operation.lock(relation, Lock.SHARE_UPDATE_EXCLUSIVE)
    constraint = relation.constraints.get(cmd["name"])
    if constraint is None:
        if relation.columns is not None:
            _missing(ctx, relation, cmd["name"])
        else:
            operation.scan(relation)
        return
    operation.columns += constraint.columns
    if constraint.kind not in ("check", "foreign key", "not null"):
        ctx.error(
            "catalog",
            f'constraint "{constraint.name}" of {relation.shown} is a {constraint.kind}: '
            "it is always valid",
        )
    elif not constraint.enforced:
        ctx.error(
            "catalog",
            f'constraint "{constraint.name}" of {relation.shown} is NOT ENFORCED: '
            "it cannot be validated",
            remedy="a foreign key: ALTER CONSTRAINT .. ENFORCED, which checks every row",
        )
    elif not constraint.valid:
        _validate(ctx, relation, constraint, operation)


def _validate(
    ctx: Context, relation: Relation, constraint: Constraint, operation: Operation
) -> None:
    family = ctx.family(relation)
    operation.lock_all(family, Lock.SHARE_UPDATE_EXCLUSIVE)
    operation.scan_all(family)
    if constraint.refers_to is not None:
        target = ctx.catalog.relations.get(constraint.refers_to)
        operation.lock(target, Lock.ROW_SHARE)
        operation.scan(target)
    constraint.valid = True
    follow_behind(ctx, constraint.calls, operation)
    if constraint.kind == "not null" and relation.columns is not None:
        for name in constraint.columns:
            if name in relation.columns:
                relation.columns[name].not_null = True


def drop(ctx: Context, relation: Relation, cmd: Node) -> None:
    operation = ctx.operation("DROP_CONSTRAINT", relation)
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    name, cascade = cmd["name"], cmd.get("behavior") == "DROP_CASCADE"
    constraint = relation.constraints.get(name)
    if constraint is None:
        if relation.columns is not None and not cmd.get("missing_ok"):
            _missing(ctx, relation, name)
        return
    operation.columns += constraint.columns
    if constraint.refers_to is not None:
        operation.lock(ctx.catalog.relations.get(constraint.refers_to), Lock.ACCESS_EXCLUSIVE)
    if constraint.kind in ("primary key", "unique"):
        _held_by_foreign_keys(ctx, relation, constraint, operation, cascade=cascade)
    if constraint.kind in ("primary key", "unique", "exclude"):
        index = ctx.catalog.indexes.get((relation.schema, name))
        if index is not None and index.parent is not None:
            ctx.error("catalog", f"{relation.shown} has the constraint {name} from its parent")
        drop_index(ctx.catalog, (relation.schema, name))
    if constraint.kind == "primary key" and relation.live:
        operation.needs(
            Kind.RISKY,
            f"{relation.label} loses its primary key: rows can be doubled, and replication of "
            "updates stops without a replica identity",
            "add the new key first, or do both in one risky migration",
        )
        operation.note("drops-primary-key")
    operation.lock_all(ctx.family(relation), Lock.ACCESS_EXCLUSIVE)
    relation.constraints.pop(name, None)


def _held_by_foreign_keys(
    ctx: Context,
    relation: Relation,
    constraint: Constraint,
    operation: Operation,
    *,
    cascade: bool,
) -> None:
    for referrer, foreign in ctx.catalog.referrers_of(relation.key):
        if set(foreign.refers_columns) != set(constraint.columns):
            continue
        if cascade:
            operation.gone += (f"constraint {foreign.name} on {referrer.shown}",)
            operation.lock(referrer, Lock.ACCESS_EXCLUSIVE)
            del referrer.constraints[foreign.name]
        else:
            ctx.error(
                "catalog",
                f"cannot drop constraint {constraint.name} of {relation.shown}: foreign key "
                f"{foreign.name} of {referrer.shown} needs it",
                remedy=f"drop {foreign.name} first",
            )


def alter(ctx: Context, relation: Relation, cmd: Node) -> None:
    operation = ctx.operation("ALTER_CONSTRAINT", relation)
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    body = cmd.get("def", {}).get("ATAlterConstraint", {})
    name = body.get("conname", cmd.get("name", ""))
    constraint = relation.constraints.get(name)
    if constraint is None:
        if relation.columns is not None:
            _missing(ctx, relation, name)
        return
    inherits = constraint.kind == "not null" and ctx.version >= 18
    if constraint.kind != "foreign key" and not inherits:
        ctx.error(
            "catalog",
            f'constraint "{name}" of relation "{relation.shown}" is not a foreign key constraint',
        )
        return
    if body.get("alterEnforceability"):
        _enforce(ctx, relation, constraint, operation, enforced=bool(body.get("is_enforced")))


def _enforce(
    ctx: Context,
    relation: Relation,
    constraint: Constraint,
    operation: Operation,
    *,
    enforced: bool,
) -> None:
    """Whose triggers come back has its rows checked; whose triggers go is held on both sides."""
    if ctx.version < 18:
        ctx.error(
            "version",
            f"ENFORCED and NOT ENFORCED came with PostgreSQL 18; the server is {ctx.version}",
        )
    if constraint.enforced == enforced:
        return
    family = ctx.family(relation)
    operation.lock_all(family, Lock.ACCESS_EXCLUSIVE)
    target = ctx.catalog.relations.get(constraint.refers_to or relation.key)
    operation.lock(target, Lock.SHARE_ROW_EXCLUSIVE if enforced else Lock.ACCESS_EXCLUSIVE)
    if enforced:
        operation.scan_all(family)
        operation.scan(target)
    constraint.enforced = constraint.valid = enforced


def _missing(ctx: Context, relation: Relation, name: str) -> None:
    ctx.error("catalog", f'constraint "{name}" of relation "{relation.shown}" does not exist')
