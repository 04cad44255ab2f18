"""Table lock modes and what they keep out.

Source: PostgreSQL manual, "Table-Level Locks", table of conflicting lock modes.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum


class Lock(IntEnum):
    """Ordered by strength."""

    wire: str
    """The name that pg_locks shows."""
    words: str
    blocks_reads: bool
    """Conflicts with ACCESS SHARE, which a SELECT takes."""
    blocks_writes: bool
    """Conflicts with ROW EXCLUSIVE, which INSERT, UPDATE and DELETE take."""
    strong: bool
    """Keeps writers out, so that work that grows must not follow it in a transaction."""

    ACCESS_SHARE = 1
    ROW_SHARE = 2
    ROW_EXCLUSIVE = 3
    SHARE_UPDATE_EXCLUSIVE = 4
    SHARE = 5
    SHARE_ROW_EXCLUSIVE = 6
    EXCLUSIVE = 7
    ACCESS_EXCLUSIVE = 8

    def __init__(self, value: int) -> None:
        self.words = self.name.replace("_", " ")
        self.wire = self.words.title().replace(" ", "") + "Lock"
        self.blocks_reads = value == 8
        self.blocks_writes = self.strong = value >= 5


def gather(into: dict[str, Lock], locks: Mapping[str, Lock]) -> None:
    """Add locks to those that are held: of each relation the strongest mode stays."""
    for name, mode in locks.items():
        if mode > into.get(name, 0):
            into[name] = mode
