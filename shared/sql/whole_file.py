"""Facts of a file as a whole: what its statements lock, copy, destroy and need together."""

from __future__ import annotations

from shared.sql.analysis import Analysis
from shared.sql.locks import Lock, gather


def whole(analysis: Analysis) -> dict[str, object]:
    """The fields of the report that are about no single statement."""
    locks: dict[str, Lock] = {}
    reads: set[str] = set()
    writes: set[str] = set()
    rewritten: set[str] = set()
    extensions: set[str] = set()
    destructive = bulk = breaks = False
    for step in analysis.steps:
        if step.locks:
            gather(locks, step.locks)
        if step.grows:
            reads |= step.blocked_reads
            writes |= step.blocked_writes
        for operation in step.operations:
            if operation.rewrites:
                rewritten |= operation.rewrites
            if operation.extensions:
                extensions.update(operation.extensions)
            if operation.destroys:
                destructive = True
            if operation.bulk:
                bulk = True
            if operation.breaks:
                breaks = True
    locking = next((step for step in analysis.steps if step.locks), None)
    return {
        "rewrites_tables": tuple(sorted(rewritten)),
        "locks": {name: mode.wire for name, mode in sorted(locks.items())},
        "blocks_reads_of": tuple(sorted(reads)),
        "blocks_writes_of": tuple(sorted(writes)),
        "destructive": destructive,
        "bulk_dml": bulk,
        "breaks_clients": breaks,
        "requires_extensions": tuple(sorted(extensions)),
        "lock_timeout_set": locking is not None and locking.lock_timeout_set,
    }
