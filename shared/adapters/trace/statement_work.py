"""What one statement did, from what was so before it and after it."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.domain.errors import MigrationError
from shared.sql.locks import Lock
from shared.sql.parse import Statement


@dataclass(slots=True)
class State:
    """What is so at one moment of a transaction, by oid."""

    locks: dict[int, Lock] = field(default_factory=dict)
    work: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Scans so far, and rows updated and deleted."""
    files: dict[int, tuple[int | None, int]] = field(default_factory=dict)
    """File node and bytes."""
    indexes: dict[int, list[int]] = field(default_factory=dict)
    """File nodes of a table's indexes."""


@dataclass(slots=True)
class Work:
    """What one statement did, by oid."""

    milliseconds: float = 0.0
    locks: dict[int, Lock] = field(default_factory=dict)
    scans: set[int] = field(default_factory=set)
    changes: dict[int, int] = field(default_factory=dict)
    rewrites: set[int] = field(default_factory=set)
    indexes: set[int] = field(default_factory=set)
    """Tables with an index that was written anew."""
    no_reads: set[int] = field(default_factory=set)
    no_writes: set[int] = field(default_factory=set)
    error: MigrationError | None = None

    def compare(self, before: State, after: State, statement: Statement) -> None:
        emptied = {oid for oid in after.files if _is_emptied(oid, before, after, statement)}
        self.locks = {oid: m for oid, m in after.locks.items() if before.locks.get(oid) != m}
        for oid, (scans, changes) in after.work.items():
            first = before.work.get(oid, (0, 0))
            if scans > first[0] and oid not in emptied:
                self.scans.add(oid)
            if changes > first[1]:
                self.changes[oid] = changes - first[1]
        for oid, (node, _) in after.files.items():
            if oid not in emptied and node != before.files.get(oid, (node, 0))[0]:
                self.rewrites.add(oid)
        for oid, nodes in after.indexes.items():
            if oid not in emptied and set(nodes) - set(before.indexes.get(oid, ())):
                self.indexes.add(oid)


def _is_emptied(oid: int, before: State, after: State, statement: Statement) -> bool:
    """TRUNCATE gives a new file too, and copies nothing into it."""
    node, size = after.files[oid]
    first, size_before = before.files.get(oid, (node, 0))
    if node == first or size > 0:
        return False
    return size_before > 0 or statement.tag == "TruncateStmt"
