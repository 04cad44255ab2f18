"""What a driver must be able to do so that a standby may take over from its server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit in the WAL of a server that does not run."""

    lsn: str
    """Where its record begins."""
    at: str
    """As pg_waldump writes it."""


@runtime_checkable
class Fencing(Protocol):
    def end(self, *, limit_s: float) -> None:
        """No process of this server is left, and none will be started. Raises Transient when that
        cannot be made sure of."""
        ...

    def commits_after(self, lsn: str) -> Sequence[Commit] | None:
        """Commits in its WAL at or behind that place, oldest first; None: it cannot be read."""
        ...

    def restore_command(self) -> str:
        """With which the other server reads this one's WAL (PostgreSQL manual, restore_command)."""
        ...
