"""What a user asks for: a file, its kind, and how to run it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.domain.environment import Colour


class Kind(StrEnum):
    """The three kinds of migration, in the order of what they cost."""

    SAFE = "safe"
    RISKY = "risky"
    MAINTENANCE = "maintenance"

    @property
    def rank(self) -> int:
        return list(Kind).index(self)

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


class RunOptions(BaseModel):
    """How one job is to run: the options of `bluegreen run`, checked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    claimed: Kind | None = None
    """What the user claims with `--type`; never lowers what the file needs."""
    no_rollback: bool = False
    timeout_s: Annotated[float, Field(gt=0, le=86_400)] = 30.0
    """Limit of the health checks and of `confirm`; over it the job rolls back."""
    switch_delay_s: Annotated[float, Field(ge=0, le=86_400)] = 0.0
    max_stall_ms: Annotated[int, Field(ge=50, le=60_000)] = 500
    rollback_window_s: Annotated[float, Field(ge=0, le=2_592_000)] = 3600.0
    hold: bool = False
    at: str | None = None
    window: str | None = None
    backup: BackupScope | None = None
    on_maintenance: Literal["hold", "refuse"] = "hold"
    on_slow_transaction: Literal["wait", "cancel"] = "wait"
    accept_lossy_rollback: bool = False
    accept_broken_statements: bool = False


class Job(BaseModel):
    """One run of one migration, as a step sees it: built from the control database."""

    model_config = ConfigDict(frozen=True)

    id: str
    """Like `20261123-7f3a`."""
    database: str
    kind: Kind
    file_name: str
    sql: str
    options: RunOptions
    source: Colour
    """The colour that was active when the job was accepted; `source.other` is the target."""
    epoch: int
    """Grows with every decision; an answer to an older one is worthless."""
    attempt: int
    facts: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """What earlier steps learned, by step name (shared/domain/facts.py has the models)."""
    requests: frozenset[str] = frozenset()
    """What people asked for so far: `approve`, `finish`, `rollback`, `abort`."""

    @property
    def target(self) -> Colour:
        return self.source.other
