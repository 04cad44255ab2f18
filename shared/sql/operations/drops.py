"""DROP of everything: what goes, what goes with it, and what keeps it from going."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared.domain.kinds import Kind
from shared.sql.context import Context
from shared.sql.effects import Operation
from shared.sql.grammar import Node
from shared.sql.locks import Lock
from shared.sql.names import split_name, strings
from shared.sql.operations import index_changes, object_drops
from shared.sql.operations.drop_column import drop_with
from shared.sql.operations.own_sequences import loses_drawers
from shared.sql.operations.partitions import default_partition
from shared.sql.schema_objects import Relation
from shared.sql.triggers import Trigger

_RELATIONS = {
    "OBJECT_TABLE": ("DROP_TABLE", "table"),
    "OBJECT_FOREIGN_TABLE": ("DROP_FOREIGN_TABLE", "foreign table"),
    "OBJECT_VIEW": ("DROP_VIEW", "view"),
    "OBJECT_MATVIEW": ("DROP_MATERIALIZED_VIEW", "materialized view"),
    "OBJECT_SEQUENCE": ("DROP_SEQUENCE", "sequence"),
}
_ON_A_TABLE = {
    "OBJECT_TRIGGER": "DROP_TRIGGER",
    "OBJECT_POLICY": "DROP_POLICY",
    "OBJECT_RULE": "DROP_RULE",
}
_KNOWN_AS = {"DROP_TRIGGER": "triggers", "DROP_POLICY": "policies", "DROP_RULE": "rules"}
_OTHERS: dict[str, Callable[[Context, Node], None]] = {
    "OBJECT_TYPE": object_drops.drop_type,
    "OBJECT_DOMAIN": object_drops.drop_type,
    "OBJECT_SCHEMA": object_drops.drop_schema,
    "OBJECT_EXTENSION": object_drops.drop_extension,
    "OBJECT_FUNCTION": object_drops.drop_routine,
    "OBJECT_PROCEDURE": object_drops.drop_routine,
    "OBJECT_ROUTINE": object_drops.drop_routine,
    "OBJECT_AGGREGATE": object_drops.drop_routine,
}


def drop(ctx: Context, node: Node) -> None:
    kind = node["removeType"]
    if kind == "OBJECT_INDEX":
        if node.get("concurrent") and len(node["objects"]) > 1:
            ctx.error(
                "catalog",
                "DROP INDEX CONCURRENTLY does not support dropping multiple objects",
                remedy="drop them one by one",
            )
        for item in node["objects"]:
            index_changes.drop_index(ctx, *split_name(item["List"]["items"]), node)
    elif kind in _RELATIONS:
        _drop_relations(ctx, node, *_RELATIONS[kind])
    elif kind in _ON_A_TABLE:
        _drop_on_table(ctx, node, _ON_A_TABLE[kind])
    elif kind in _OTHERS:
        _OTHERS[kind](ctx, node)
    else:
        object_drops.drop_other(ctx, node)


def _drop_relations(ctx: Context, node: Node, type_: str, kind: str) -> None:
    operation = ctx.operation(type_)
    cascade = node.get("behavior") == "DROP_CASCADE"
    found: list[Relation] = []
    for item in node["objects"]:
        schema, name = split_name(item["List"]["items"])
        relation = ctx.named(schema, name, missing_ok=bool(node.get("missing_ok")))
        if relation is None:
            continue
        if relation.presumed:
            relation.kind = kind  # type: ignore[assignment]
        elif relation.kind != kind:
            ctx.error("catalog", f'"{relation.shown}" is a {relation.kind}, not a {kind}')
        found.append(relation)
        operation.touch(relation)
    if cascade:
        operation.note("cascade")
    for relation in found:
        _drop_relation(ctx, relation, operation, found, cascade=cascade)


def _drop_relation(
    ctx: Context,
    relation: Relation,
    operation: Operation,
    together: list[Relation],
    *,
    cascade: bool,
) -> None:
    if relation.kind != "sequence":
        operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    if relation.live:
        if relation.kind == "table":
            operation.destroys += (f"every row of {relation.label}",)
        else:
            operation.breaks += (f"{relation.kind} {relation.label} is gone",)
    _drop_readers(ctx, relation, operation, together, cascade=cascade)
    _drop_referrers(ctx, relation, operation, together, cascade=cascade)
    if relation.kind == "sequence":
        loses_drawers(ctx, relation, operation, cascade=cascade)
    for sequence in ctx.catalog.sequences_of(relation.key):
        going = {m.key for each in together for m in (each, *ctx.catalog.partitions_of(each))}
        loses_drawers(ctx, sequence, operation, going, cascade=cascade)
    _let_go(ctx, relation, operation)
    for key in list(relation.children):
        if child := ctx.catalog.relations.get(key):
            operation.gone += (f"partition {child.shown}",)
            _drop_relation(ctx, child, operation, together, cascade=cascade)
    forget(ctx, relation)


def _let_go(ctx: Context, relation: Relation, operation: Operation) -> None:
    """Lock what it hangs on: its parents, and the tables that its foreign keys point at."""
    for key in relation.parents:
        parent = ctx.catalog.relations.get(key)
        if parent is not None and relation.bound is not None:
            operation.lock(parent, Lock.ACCESS_EXCLUSIVE)
            operation.lock(default_partition(ctx, parent), Lock.ACCESS_EXCLUSIVE)
        if parent is not None and relation.key in parent.children:
            parent.children.remove(relation.key)
    for constraint in relation.constraints.values():
        if constraint.refers_to is not None:
            operation.lock(ctx.catalog.relations.get(constraint.refers_to), Lock.ACCESS_EXCLUSIVE)


def forget(ctx: Context, relation: Relation) -> None:
    """Take it, its indexes and the sequences it owns out of the catalog."""
    for index in ctx.catalog.indexes_of(relation.key):
        del ctx.catalog.indexes[(index.schema, index.name)]
    for sequence in ctx.catalog.sequences_of(relation.key):
        del ctx.catalog.relations[sequence.key]
    ctx.catalog.relations.pop(relation.key, None)


def _drop_readers(
    ctx: Context,
    relation: Relation,
    operation: Operation,
    together: list[Relation],
    *,
    cascade: bool,
) -> None:
    for view in ctx.catalog.readers_of(relation.key):
        if view in together:
            continue
        if cascade:
            drop_with(ctx, view, operation)
        else:
            ctx.error(
                "catalog",
                f"cannot drop {relation.kind} {relation.shown}: {view.kind} {view.shown} reads it",
                remedy=f"drop {view.shown} first, or say CASCADE",
            )


def _drop_referrers(
    ctx: Context,
    relation: Relation,
    operation: Operation,
    together: list[Relation],
    *,
    cascade: bool,
) -> None:
    for referrer, constraint in ctx.catalog.referrers_of(relation.key):
        if referrer is relation or referrer in together:
            continue
        if cascade:
            operation.gone += (f"constraint {constraint.name} on {referrer.shown}",)
            operation.lock(referrer, Lock.ACCESS_EXCLUSIVE)
            referrer.constraints.pop(constraint.name, None)
        else:
            ctx.error(
                "catalog",
                f"cannot drop table {relation.shown}: foreign key {constraint.name} of "
                f"{referrer.shown} points at it",
                remedy=f"drop the constraint {constraint.name} of {referrer.shown} first",
            )


def _drop_on_table(ctx: Context, node: Node, type_: str) -> None:
    operation = ctx.operation(type_)
    for item in node["objects"]:
        *table, name = strings(item["List"]["items"])
        schema = table[-2] if len(table) > 1 else None
        relation = ctx.named(schema, table[-1], missing_ok=bool(node.get("missing_ok")))
        if relation is None:
            continue
        operation.touch(relation)
        known: dict[str, Any] = getattr(relation, _KNOWN_AS[type_])
        if name not in known and relation.columns is not None and node.get("missing_ok"):
            continue  # the server lets the table go again
        operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
        if type_ == "DROP_TRIGGER" and _is_on_partitions(relation, known.get(name)):
            operation.lock_all(ctx.catalog.partitions_of(relation), Lock.ACCESS_EXCLUSIVE)
        if type_ != "DROP_RULE" and relation.columns is not None:
            if name not in known:
                words = "trigger" if type_ == "DROP_TRIGGER" else "policy"
                ctx.error(
                    "catalog", f'{words} "{name}" for table "{relation.shown}" does not exist'
                )
            elif name in known and type_ == "DROP_TRIGGER" and relation.live:
                operation.note("trigger-gone")
        known.pop(name, None)


def _is_on_partitions(relation: Relation, trigger: Trigger | None) -> bool:
    """Only a trigger for each row of a partitioned table is one of its partitions too."""
    return relation.partition_key is not None and (trigger is None or trigger.each_row)


def drop_owned(ctx: Context, node: Node) -> None:
    """DROP OWNED BY: nobody can say from a schema what goes."""
    operation = ctx.operation("DROP_OWNED")
    operation.destroys += ("everything that these roles own",)
    operation.needs(
        Kind.MAINTENANCE, "DROP OWNED drops whatever a role owns", "name the objects instead"
    )
