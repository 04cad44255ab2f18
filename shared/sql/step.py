"""One statement of a file with what it does."""

from __future__ import annotations

from collections.abc import Mapping

from shared.sql.effects import NONE, Operation, Reason
from shared.sql.locks import Lock, gather
from shared.sql.parse import Statement

_NO_LOCKS: Mapping[str, Lock] = {}


class Step:
    """One statement of the file with what it does."""

    __slots__ = (
        "attached", "block", "blocked_reads", "blocked_writes", "grows", "held", "in_block",
        "loads", "lock_timeout_set", "locks", "operations", "outside_block", "reasons",
        "related", "rows_change", "statement",
    )  # fmt: skip

    def __init__(self, statement: Statement, block: int) -> None:
        self.statement = statement
        self.in_block = block > 0
        """Inside an explicit BEGIN .. COMMIT."""
        self.block = block
        """Number of the block it is in; 0 outside."""
        self.operations: list[Operation] = []
        self.locks: Mapping[str, Lock] = _NO_LOCKS
        """Strongest mode on each relation over all actions: ALTER TABLE takes it at once. Known, as
        what stands below, when the statement has been looked at."""
        self.grows = False
        """It takes longer the larger a table in use is."""
        self.related = False
        """Something that it locks has parents or children, whose readers may have to wait too."""
        self.held = self.locks
        """Locks that the block holds when the statement runs, its own included."""
        self.blocked_reads: frozenset[str] = NONE
        self.blocked_writes: frozenset[str] = NONE
        self.loads: tuple[str, ...] = ()
        """Size and traffic of the tables that it works through while clients wait."""
        self.lock_timeout_set = False
        """Known of the first statement that locks something, and of those before it."""
        self.outside_block = False
        """PostgreSQL refuses it inside a transaction block."""
        self.reasons: list[Reason] | None = None
        """Why it needs more than `safe`; None until somebody asked (shared.sql.need)."""
        self.attached: frozenset[str] = NONE
        """Tables that become partitions with this statement: until then their parent is apart."""
        self.rows_change = False
        """It changes the row type of a table in use: open sessions must be renewed."""

    def sum_up(self) -> None:
        """Put together what its operations do."""
        operations = self.operations
        if len(operations) == 1:
            only = operations[0]
            self.locks, self.related = only.locks, only.related
            if only.scans or ("waits" in only.notes and (only.locks or self.in_block)):
                self.grows = True
            return
        locks: dict[str, Lock] = {}
        for operation in operations:
            if operation.scans:
                self.grows = True
            if operation.related:
                self.related = True
            gather(locks, operation.locks)
        self.locks = locks
