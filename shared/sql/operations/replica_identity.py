"""ALTER TABLE .. REPLICA IDENTITY: by which columns replication knows a row again."""

from __future__ import annotations

from shared.sql.context import Context
from shared.sql.grammar import Node
from shared.sql.locks import Lock
from shared.sql.schema_objects import Index, Relation


def replica_identity(ctx: Context, relation: Relation, cmd: Node) -> None:
    operation = ctx.operation("REPLICA_IDENTITY", relation)
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    given = cmd.get("def", {}).get("ReplicaIdentityStmt", {})
    relation.replica_identity = given.get("identity_type", "d")
    if relation.replica_identity == "i" and relation.columns is not None:
        _check_index(ctx, relation, given.get("name", ""))


def _check_index(ctx: Context, relation: Relation, name: str) -> None:
    index = ctx.index_of(relation, name)
    if index is None:
        ctx.error("catalog", f'index "{name}" for table "{relation.shown}" does not exist')
    elif why := _unfit(relation, index):
        ctx.error(
            "catalog",
            f'index "{name}" cannot be the replica identity of {relation.shown}: {why}',
            remedy="make a unique index over NOT NULL columns, without expressions and WHERE",
        )


def _unfit(relation: Relation, index: Index) -> str:
    """Why no row is known by it (ATExecReplicaIdentity in tablecmds.c); empty when it is fit."""
    constraint = relation.constraints.get(index.constraint or "")
    if not index.unique:
        return "it is not unique"
    if constraint is not None and constraint.deferrable:
        return "its constraint is deferrable"
    if not index.plain:
        return "it is over an expression, or partial"
    known = relation.columns or {}
    nullable = [name for name in index.columns if name in known and not known[name].not_null]
    if nullable and (constraint is None or constraint.kind != "primary key"):
        return f"its column {nullable[0]} can be NULL"
    return ""
