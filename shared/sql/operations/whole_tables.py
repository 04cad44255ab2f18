"""TRUNCATE and LOCK TABLE."""

from __future__ import annotations

from shared.sql.context import Context
from shared.sql.effects import Operation
from shared.sql.grammar import Node
from shared.sql.locks import Lock
from shared.sql.operations.fired import fire
from shared.sql.schema_objects import Relation


def truncate(ctx: Context, node: Node) -> None:
    operation = ctx.operation("TRUNCATE")
    cascade = node.get("behavior") == "DROP_CASCADE"
    wanted = [ctx.relation(each["RangeVar"]) for each in node["relations"]]
    together = [relation for relation in wanted if relation is not None]
    if cascade:
        operation.note("cascade")
    alone = [r for r, each in zip(wanted, node["relations"], strict=True)
             if "inh" not in each["RangeVar"]]  # fmt: skip
    for relation in together:
        operation.touch(relation)
        members = [] if relation in alone else ctx.catalog.partitions_of(relation)
        for member in [relation, *members]:
            operation.lock(member, Lock.ACCESS_EXCLUSIVE)
            member.filled = False
        if relation.live:
            operation.destroys += (f"every row of {relation.label}",)
        fire(ctx, relation, "TRUNCATE", operation)
        for referrer, constraint in ctx.catalog.referrers_of(relation.key):
            if referrer in together:
                continue
            if cascade:
                together.append(referrer)
                operation.gone += (f"every row of {referrer.shown}",)
            else:
                ctx.error(
                    "catalog",
                    f"cannot truncate {relation.shown}: foreign key {constraint.name} of "
                    f"{referrer.shown} points at it",
                    remedy=f"truncate both in one statement, {relation.shown} and {referrer.shown}",
                )


def lock_table(ctx: Context, node: Node) -> None:
    operation = ctx.operation("LOCK_TABLE")
    mode = Lock(node.get("mode", 8))
    for each in node["relations"]:
        relation = ctx.relation(each["RangeVar"])
        if relation is not None:
            operation.touch(relation)
            _hold(ctx, relation, mode, operation, only="inh" not in each["RangeVar"])
    if ctx.step is not None and not ctx.step.in_block and not ctx.body_depth:
        ctx.error(
            "transaction",
            "LOCK TABLE can only be used in a transaction block",
            remedy="write BEGIN; before and COMMIT; after the statements that need the lock",
        )
    if operation.locks and mode.strong:
        operation.note("explicit-lock")


def _hold(
    ctx: Context, relation: Relation, mode: Lock, operation: Operation, *, only: bool = False
) -> None:
    """A view is held with what it reads, a table with its partitions and children."""
    operation.lock(relation, mode)
    if relation.kind == "view":
        for key in relation.reads:
            if behind := ctx.catalog.relations.get(key):
                _hold(ctx, behind, mode, operation)
    elif not only:
        operation.lock_all(ctx.catalog.partitions_of(relation), mode)
