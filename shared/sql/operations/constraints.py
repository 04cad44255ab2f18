"""ALTER TABLE actions on constraints: added, validated, dropped, altered."""

from __future__ import annotations

from shared.domain.kinds import Kind
from shared.sql.catalog import Constraint, Relation
from shared.sql.context import Context
from shared.sql.definitions import (
    add_constraint,
    check_columns,
    needs_btree_gist,
    primary_key,
    read_constraint,
)
from shared.sql.effects import Operation
from shared.sql.grammar import Node
from shared.sql.locks import Lock
from shared.sql.types import assignable

_TYPES = {
    "check": "ADD_CHECK",
    "foreign key": "ADD_FOREIGN_KEY",
    "unique": "ADD_UNIQUE",
    "primary key": "ADD_PRIMARY_KEY",
    "exclude": "ADD_EXCLUDE",
    "not null": "ADD_NOT_NULL",
}


def add(ctx: Context, relation: Relation, cmd: Node) -> None:
    node = cmd["def"]["Constraint"]
    operation = ctx.operation("", relation)
    constraint = read_constraint(ctx, relation, node, operation)
    operation.type = _type(constraint, node)
    operation.columns += constraint.columns
    if constraint.name in relation.constraints:
        ctx.error(
            "catalog",
            f'constraint "{constraint.name}" for relation "{relation.shown}" already exists',
            at=node.get("location"),
        )
    if "indexname" in node:
        _using_index(ctx, relation, constraint, node, operation)
    elif not check_columns(ctx, relation, list(constraint.columns), node.get("location")):
        operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
        return
    elif constraint.kind == "foreign key":
        _foreign_key(ctx, relation, constraint, operation, node)
    else:
        _checked(ctx, relation, constraint, operation, node)
    add_constraint(ctx, relation, constraint)


def _type(constraint: Constraint, node: Node) -> str:
    base = _TYPES[constraint.kind]
    if "indexname" in node:
        return f"{base}_USING_INDEX"
    if not constraint.enforced:
        return f"{base}_NOT_ENFORCED"
    if not constraint.valid and constraint.kind in ("check", "foreign key"):
        return f"{base}_NOT_VALID"
    return base


def _checked(
    ctx: Context, relation: Relation, constraint: Constraint, operation: Operation, node: Node
) -> None:
    """CHECK, NOT NULL, UNIQUE, PRIMARY KEY, EXCLUDE: all under ACCESS EXCLUSIVE."""
    family = [relation, *ctx.catalog.partitions_of(relation)]
    for member in family:
        operation.lock(member, Lock.ACCESS_EXCLUSIVE)
    if constraint.kind == "not null" and ctx.version < 18:
        ctx.error(
            "version",
            f"named NOT NULL constraints came with PostgreSQL 18; the server is {ctx.version}",
            at=node.get("location"),
        )
    if constraint.kind == "primary key" and primary_key(relation):
        ctx.error(
            "catalog",
            f"{relation.shown} already has a primary key",
            at=node.get("location"),
            remedy="drop the old one first",
        )
    if constraint.kind in ("exclude", "primary key", "unique"):
        if needs_btree_gist(ctx, relation, node):
            ctx.require("btree_gist", "a gist index over plain values", operation)
        _covers_partition_key(ctx, relation, constraint)
    if not constraint.valid or not constraint.enforced:
        return
    already = constraint.kind == "not null" and _not_null(relation, constraint.columns)
    for member in family:
        if member.stored and not already:
            operation.scan(member)


def _not_null(relation: Relation, names: tuple[str, ...]) -> bool:
    known = relation.columns or {}
    return bool(known) and all(name in known and known[name].not_null for name in names)


def _covers_partition_key(ctx: Context, relation: Relation, constraint: Constraint) -> None:
    key = relation.partition_key
    if key and constraint.kind != "exclude" and not set(key) <= set(constraint.columns):
        ctx.error(
            "catalog",
            f"a {constraint.kind} constraint on the partitioned table {relation.shown} "
            f"must hold every column of the partition key ({', '.join(key)})",
        )


def _using_index(
    ctx: Context, relation: Relation, constraint: Constraint, node: Node, operation: Operation
) -> None:
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    index = ctx.catalog.index(relation.schema, node["indexname"], ctx.path)
    if index is None:
        if ctx.catalog.complete:
            ctx.error("catalog", f'index "{node["indexname"]}" does not exist')
        elif constraint.kind == "primary key":
            operation.notes.add("columns-unknown")
        return
    if not index.unique:
        ctx.error("catalog", f'"{index.name}" is not a unique index')
    elif not index.plain:
        ctx.error("catalog", f'index "{index.name}" contains expressions or is partial')
    elif index.constraint is not None:
        ctx.error("catalog", f'index "{index.name}" already belongs to a constraint')
    constraint.columns = index.columns
    operation.columns += index.columns
    del ctx.catalog.indexes[(index.schema, index.name)]
    if constraint.kind == "primary key" and not _not_null(relation, index.columns):
        operation.scan(relation)
        operation.notes.add("sets-not-null")


def _foreign_key(
    ctx: Context, relation: Relation, constraint: Constraint, operation: Operation, node: Node
) -> None:
    target = ctx.catalog.relations.get(constraint.refers_to) if constraint.refers_to else None
    family = [relation, *ctx.catalog.partitions_of(relation)]
    for member in family:
        operation.lock(member, Lock.SHARE_ROW_EXCLUSIVE)
    operation.lock(target, Lock.SHARE_ROW_EXCLUSIVE)
    if target is not None:
        operation.touch(target)
        for member in ctx.catalog.partitions_of(target):
            operation.lock(member, Lock.SHARE_ROW_EXCLUSIVE)
        _check_target(ctx, relation, target, constraint)
    unvalidated = not constraint.valid and constraint.enforced
    if relation.partition_key is not None and unvalidated and ctx.version < 18:
        ctx.error(
            "version",
            f"a NOT VALID foreign key on the partitioned table {relation.shown} needs "
            f"PostgreSQL 18; the server is {ctx.version}",
            remedy="add it to each partition NOT VALID, validate there, then add it here",
        )
    if constraint.valid:
        operation.scan_all(family)
        if relation.live:
            operation.scan(target)
    if not _indexed(ctx, relation, constraint.columns) and relation.columns is not None:
        operation.notes.add("foreign-key-without-index")


def _check_target(
    ctx: Context, relation: Relation, target: Relation, constraint: Constraint
) -> None:
    if target.columns is None:
        return
    if not check_columns(ctx, target, list(constraint.refers_columns), None):
        return
    columns = set(constraint.refers_columns)
    unique = any(
        index.unique and index.plain and set(index.columns) == columns
        for index in ctx.catalog.indexes_of(target.key)
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
        if one is None or other is None:
            continue
        if not assignable(one.type, other.type, ctx.catalog, ctx.path) or not _comparable(
            one.type.name, other.type.name
        ):
            ctx.error(
                "catalog",
                f'foreign key "{constraint.name}" cannot be made: {relation.shown}.{mine} is '
                f"{one.type}, {target.shown}.{theirs} is {other.type}",
            )


_FAMILIES = (
    {"int2", "int4", "int8", "numeric", "float4", "float8"},
    {"text", "varchar", "bpchar", "name", "citext"},
    {"date", "timestamp", "timestamptz"},
)


def _comparable(one: str, other: str) -> bool:
    return one == other or any(one in family and other in family for family in _FAMILIES)


def _indexed(ctx: Context, relation: Relation, columns: tuple[str, ...]) -> bool:
    return any(
        index.columns[: len(columns)] == columns
        or set(columns) == set(index.columns[: len(columns)])
        for index in ctx.catalog.indexes_of(relation.key)
    )


def validate(ctx: Context, relation: Relation, cmd: Node) -> None:
    operation = ctx.operation("VALIDATE_CONSTRAINT", relation)
    operation.lock(relation, Lock.SHARE_UPDATE_EXCLUSIVE)
    constraint = relation.constraints.get(cmd["name"])
    if constraint is None:
        if relation.columns is not None:
            _missing(ctx, relation, cmd["name"])
            return
        operation.scan(relation)
        return
    operation.columns += constraint.columns
    for member in [relation, *ctx.catalog.partitions_of(relation)]:
        if not constraint.valid and member.stored:
            operation.lock(member, Lock.SHARE_UPDATE_EXCLUSIVE)
            operation.scan(member)
    if constraint.refers_to is not None:
        target = ctx.catalog.relations.get(constraint.refers_to)
        operation.lock(target, Lock.ROW_SHARE)
        if not constraint.valid:
            operation.scan(target)
    constraint.valid = True
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
        ctx.catalog.indexes.pop((relation.schema, name), None)
    if constraint.kind == "primary key" and relation.live:
        operation.needs(
            Kind.RISKY,
            f"{relation.label} loses its primary key: rows can be doubled, and replication of "
            "updates stops without a replica identity",
            "add the new key first, or do both in one risky migration",
        )
        operation.notes.add("drops-primary-key")
    for member in ctx.catalog.partitions_of(relation):
        operation.lock(member, Lock.ACCESS_EXCLUSIVE)
    del relation.constraints[name]


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
            operation.gone.append(f"constraint {foreign.name} on {referrer.shown}")
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
    if body.get("alterEnforceability") and body.get("is_enforced"):
        operation.scan(relation)
        if constraint.refers_to is not None:
            operation.lock(
                ctx.catalog.relations.get(constraint.refers_to), Lock.SHARE_ROW_EXCLUSIVE
            )


def _missing(ctx: Context, relation: Relation, name: str) -> None:
    ctx.error("catalog", f'constraint "{name}" of relation "{relation.shown}" does not exist')
