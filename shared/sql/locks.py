"""Table lock modes and what they keep out.

Source: PostgreSQL manual, "Table-Level Locks", table of conflicting lock modes.
"""

from __future__ import annotations

from enum import IntEnum


class Lock(IntEnum):
    """Ordered by strength; `wire` is the name that pg_locks shows."""

    ACCESS_SHARE = 1
    ROW_SHARE = 2
    ROW_EXCLUSIVE = 3
    SHARE_UPDATE_EXCLUSIVE = 4
    SHARE = 5
    SHARE_ROW_EXCLUSIVE = 6
    EXCLUSIVE = 7
    ACCESS_EXCLUSIVE = 8

    @property
    def wire(self) -> str:
        return self.name.replace("_", " ").title().replace(" ", "") + "Lock"

    @property
    def words(self) -> str:
        return self.name.replace("_", " ")

    @property
    def blocks_reads(self) -> bool:
        """Conflicts with ACCESS SHARE, which a SELECT takes."""
        return self is Lock.ACCESS_EXCLUSIVE

    @property
    def blocks_writes(self) -> bool:
        """Conflicts with ROW EXCLUSIVE, which INSERT, UPDATE and DELETE take."""
        return self >= Lock.SHARE

    @property
    def strong(self) -> bool:
        """Keeps writers out, so that work that grows must not follow it in a transaction."""
        return self.blocks_writes


def strongest(one: Lock | None, other: Lock) -> Lock:
    return other if one is None or other > one else one
