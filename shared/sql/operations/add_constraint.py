"""ALTER TABLE .. ADD CONSTRAINT: checked now, checked later, or over an index that is there."""

from __future__ import annotations

from shared.sql.context import Context
from shared.sql.definitions import add_constraint as put_constraint
from shared.sql.definitions import check_columns, primary_key, read_constraint
from shared.sql.effects import Operation
from shared.sql.grammar import Node
from shared.sql.keys import check_keys
from shared.sql.locks import Lock
from shared.sql.operations.column_marks import proven_not_null
from shared.sql.operations.foreign_keys import check_target, look_up_rows
from shared.sql.operations.inheritance import with_children
from shared.sql.schema_objects import Constraint, Relation

_TYPES = {
    "check": "ADD_CHECK",
    "foreign key": "ADD_FOREIGN_KEY",
    "unique": "ADD_UNIQUE",
    "primary key": "ADD_PRIMARY_KEY",
    "exclude": "ADD_EXCLUDE",
    "not null": "ADD_NOT_NULL",
}


def add_constraint(ctx: Context, relation: Relation, cmd: Node) -> None:
    node = cmd["def"]["Constraint"]
    operation = ctx.operation("", relation)
    constraint = read_constraint(ctx, relation, node, operation)
    operation.type = _type(constraint, node)
    operation.columns += constraint.columns
    operation.made = constraint.name
    if constraint.name in relation.constraints:
        ctx.error(
            "catalog",
            f'constraint "{constraint.name}" for relation "{relation.shown}" already exists',
            at=node.get("location"),
        )
    _check_index_name(ctx, relation, constraint, node)
    if "indexname" in node:
        _using_index(ctx, relation, constraint, node, operation)
    elif not check_columns(ctx, relation, list(constraint.columns), node.get("location")):
        operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
        return
    elif constraint.kind == "foreign key":
        _foreign_key(ctx, relation, constraint, operation, node)
    else:
        _checked(ctx, relation, constraint, operation, node)
    put_constraint(ctx, relation, constraint)


def _check_index_name(ctx: Context, relation: Relation, constraint: Constraint, node: Node) -> None:
    """Keys make an index of their name; one USING INDEX renames that index."""
    if constraint.kind not in ("unique", "primary key", "exclude"):
        return
    key = (relation.schema, constraint.name)
    taken = key in ctx.catalog.relations or key in ctx.catalog.indexes
    if "conname" in node and taken and node.get("indexname") != constraint.name:
        ctx.error(
            "catalog",
            f'relation "{constraint.name}" already exists',
            at=node.get("location"),
            remedy="choose another name",
        )


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
    alone = bool(node.get("is_no_inherit"))
    family = [relation] if alone and ctx.version < 18 else _reached(ctx, relation, constraint)
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    operation.lock_all(family[1:], _on_partitions(ctx, relation, constraint))
    if constraint.kind == "not null" and ctx.version < 18:
        ctx.error(
            "version",
            f"named NOT NULL constraints came with PostgreSQL 18; the server is {ctx.version}",
            at=node.get("location"),
        )
    if constraint.kind == "check" and ctx.only and relation.children and not alone:
        with_children(ctx, relation, f"the constraint {constraint.name}")
    check_keys(ctx, relation, constraint, node, operation)
    if constraint.kind == "primary key":
        _check_marks(ctx, relation, constraint.columns)
    if not constraint.valid or not constraint.enforced:
        return
    already = constraint.kind == "not null" and _not_null(relation, constraint.columns)
    if not already:
        operation.scan_all([relation] if alone else family)


def _reached(ctx: Context, relation: Relation, constraint: Constraint) -> list[Relation]:
    """Before 18 only CHECK and NOT NULL, also of a primary key, go on to tables that inherit."""
    family = ctx.family(relation)
    if ctx.version >= 18 or constraint.kind in ("check", "not null", "primary key"):
        return family
    return [relation, *(each for each in family[1:] if each.bound is not None)]


def _on_partitions(ctx: Context, relation: Relation, constraint: Constraint) -> Lock:
    """Before 18 a key of a partitioned table is built on its partitions as an index is."""
    key = constraint.kind == "unique" or (
        constraint.kind == "primary key" and _not_null(relation, constraint.columns)
    )
    return Lock.SHARE if key and ctx.version < 18 else Lock.ACCESS_EXCLUSIVE


def _not_null(relation: Relation, names: tuple[str, ...]) -> bool:
    known = relation.columns or {}
    return bool(known) and all(name in known and known[name].not_null for name in names)


def _check_marks(ctx: Context, relation: Relation, names: tuple[str, ...]) -> None:
    """A primary key takes no NOT NULL constraint of its columns over that is not valid yet."""
    for mark in relation.constraints.values():
        if mark.kind == "not null" and not mark.valid and mark.columns[0] in names:
            ctx.error(
                "catalog",
                f"cannot create a primary key over {mark.columns[0]} of {relation.shown}: its "
                f"NOT NULL constraint {mark.name} is NOT VALID",
                remedy=f"VALIDATE CONSTRAINT {mark.name} first",
            )


def _never_null(ctx: Context, relation: Relation, names: tuple[str, ...]) -> bool:
    """Whether every column is NOT NULL, or a valid CHECK says that it could be."""
    known = relation.columns or {}
    return all(
        (name in known and known[name].not_null) or proven_not_null(ctx, relation, name)
        for name in names
    )


def _using_index(
    ctx: Context, relation: Relation, constraint: Constraint, node: Node, operation: Operation
) -> None:
    family = _reached(ctx, relation, constraint)
    operation.lock_all(family, Lock.ACCESS_EXCLUSIVE)
    index = ctx.catalog.index(relation.schema, node["indexname"], ctx.path)
    if index is None:
        if ctx.catalog.complete:
            ctx.error("catalog", f'index "{node["indexname"]}" does not exist')
        elif constraint.kind == "primary key":
            operation.note("columns-unknown")
        return
    if not index.unique:
        ctx.error("catalog", f'"{index.name}" is not a unique index')
    elif not index.plain:
        ctx.error("catalog", f'index "{index.name}" contains expressions or is partial')
    elif index.constraint is not None:
        ctx.error("catalog", f'index "{index.name}" already belongs to a constraint')
    elif constraint.kind == "primary key" and primary_key(relation):
        ctx.error(
            "catalog",
            f"{relation.shown} already has a primary key",
            remedy="drop the old one first",
        )
    constraint.columns = index.columns
    operation.columns += index.columns
    del ctx.catalog.indexes[(index.schema, index.name)]
    nullable = [each for each in family if not _never_null(ctx, each, index.columns)]
    if constraint.kind == "primary key" and nullable:
        operation.scan_all(nullable)
        operation.note("sets-not-null")
        _check_marks(ctx, relation, index.columns)


def _foreign_key(
    ctx: Context, relation: Relation, constraint: Constraint, operation: Operation, node: Node
) -> None:
    target = ctx.catalog.relations.get(constraint.refers_to) if constraint.refers_to else None
    family = _reached(ctx, relation, constraint)
    for member in family:
        operation.lock(member, Lock.SHARE_ROW_EXCLUSIVE)
    operation.lock(target, Lock.SHARE_ROW_EXCLUSIVE)
    if target is not None:
        operation.touch(target)
        if target.partition_key is not None:
            operation.lock_all(ctx.catalog.partitions_of(target), Lock.SHARE_ROW_EXCLUSIVE)
        check_target(ctx, relation, target, constraint)
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
        look_up_rows(family, target, operation)
    if not _indexed(ctx, relation, constraint.columns) and relation.columns is not None:
        operation.note("foreign-key-without-index")


def _indexed(ctx: Context, relation: Relation, columns: tuple[str, ...]) -> bool:
    return any(
        index.columns[: len(columns)] == columns
        or set(columns) == set(index.columns[: len(columns)])
        for index in ctx.catalog.indexes_over(relation)
    )
