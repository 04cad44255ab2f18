"""The words a migration is described with, as plain enumerations.

They stand apart from the pydantic models so that `bluegreen validate` and `--help`, which need
only words, start without the half second that building models takes.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal


class Kind(StrEnum):
    """The three kinds of migration, in the order of what they cost."""

    rank: int

    SAFE = "safe"
    RISKY = "risky"
    MAINTENANCE = "maintenance"

    def __init__(self, _: str) -> None:
        self.rank = len(type(self).__members__)

    def covers(self, need: Kind) -> bool:
        """Whether a claim of this kind is enough for a file that needs `need`."""
        return self.rank >= need.rank


class Risk(StrEnum):
    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"


class Outcome(StrEnum):
    """How a job ended."""

    COMPLETED = "completed"
    ROLLED_BACK = "rolled_back"
    REFUSED = "refused"
    NEEDS_OPERATOR = "needs_operator"


class StepState(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    UNDONE = "undone"
    SKIPPED = "skipped"


BackupScope = Literal["schema", "affected", "full", "none"]
DEFAULT_SCOPE: dict[Kind, BackupScope] = {
    Kind.SAFE: "schema",
    Kind.RISKY: "affected",
    Kind.MAINTENANCE: "full",
}

Strategy = Literal["fork", "copy"]
"""`fork`: the standing standby leaves the source's history. `copy`: schema and rows travel through
SQL, where only an address of a server is known (docs/managed-servers.md)."""
COPY_BYTES_PER_S = 50e6
"""Of an ordinary server and network, indexes included; a first guess that the copy itself mends."""
