"""Who has to wait for a statement.

Waiting is counted while work that grows with a table is under way: whatever the transaction holds
then, also from earlier statements, keeps readers or writers out for that long. A strong lock that
is held for an instant only is not waiting.
"""

from __future__ import annotations

from collections.abc import Mapping

from shared.sql.context import Context
from shared.sql.effects import NONE
from shared.sql.load import loads
from shared.sql.locks import Lock, gather
from shared.sql.schema_objects import Relation
from shared.sql.step import Step


def hold(ctx: Context, step: Step, held: dict[str, Lock]) -> None:
    """Add its locks to those that the open block holds, and work out who waits."""
    now = step.locks
    ctx.not_written.update(*[operation.not_written for operation in step.operations])
    if step.in_block:
        gather(held, step.locks)
        now = held
    if not step.grows or step.operations[0].type == "REINDEX_CONCURRENTLY":
        return
    step.held = dict(now) if step.in_block else now
    reads, writes = _kept_out(step, now)
    writes -= ctx.not_written
    if step.in_block or step.related:
        if writes:
            _heirs_wait(ctx, writes)
        if reads:
            _parents_wait(ctx, step, reads)
            _middle_waits(ctx, step, reads, writes)
    if reads:
        step.blocked_reads = frozenset(reads)
    if writes:
        step.blocked_writes = frozenset(writes)
    if ctx.catalog.from_server and writes:
        step.loads = tuple(loads(step, ctx.catalog.relations.values()))


def _kept_out(step: Step, locks: Mapping[str, Lock]) -> tuple[set[str], set[str]]:
    """The relations whose readers have to wait for a statement under these locks, and those whose
    writers have to."""
    reads: set[str] = set()
    writes: set[str] = set()
    for name, mode in locks.items():
        if mode.blocks_writes:
            writes.add(name)
            if mode.blocks_reads:
                reads.add(name)
    for operation in step.operations:
        if operation.indexes_held:
            reads |= operation.indexes_held
            writes |= operation.indexes_held
        if operation.type == "REINDEX":
            writes.update(operation.locks)
    return reads, writes


def _heirs_wait(ctx: Context, writes: set[str]) -> None:
    """UPDATE and DELETE of a table reach those that inherit from it, whatever the rows."""
    for key in ctx.catalog.with_children:
        relation = ctx.catalog.relations.get(key)
        if relation is None or relation.partition_key is not None or not relation.live:
            continue
        if _above_one(ctx, relation, writes, NONE):
            writes.add(relation.label)


def _parents_wait(ctx: Context, step: Step, reads: set[str]) -> None:
    """Who reads a partitioned table has to wait for every partition of it."""
    apart = step.attached
    if step.in_block and ctx.attached:
        apart |= {name for name, block in ctx.attached.items() if block == step.block}
    for key in ctx.catalog.with_children:
        relation = ctx.catalog.relations.get(key)
        if relation is None or not relation.live:
            continue
        if _above_one(ctx, relation, reads, apart):
            reads.add(relation.label)


def _above_one(ctx: Context, relation: Relation, named: set[str], apart: frozenset[str]) -> bool:
    """Whether one of those named, but for those `apart`, is a partition or child of it."""
    for key in relation.children:
        child = ctx.catalog.relations.get(key)
        if child is None:
            continue
        if child.label in named and child.label not in apart:
            return True
        if child.children and _above_one(ctx, child, named, apart):
            return True
    return False


def _middle_waits(ctx: Context, step: Step, reads: set[str], writes: set[str]) -> None:
    """A partition that is partitioned itself is planned with the bounds that its parent holds."""
    for key in ctx.catalog.with_children:
        relation = ctx.catalog.relations.get(key)
        mode = step.held.get(relation.label) if relation is not None else None
        if relation is None or mode is None or not mode.blocks_reads:
            continue
        for child in ctx.catalog.partitions_of(relation):
            if child.partition_key is not None and child.bound is not None and child.live:
                reads.add(child.label)
                writes.add(child.label)
