"""What a user asks for: a file, its kind, and how to run it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.domain.environment import Colour
from shared.domain.kinds import DEFAULT_SCOPE, BackupScope, Kind, Outcome, Risk, StepState

__all__ = [
    "DEFAULT_SCOPE",
    "BackupScope",
    "Job",
    "Kind",
    "Outcome",
    "Risk",
    "RunOptions",
    "StepState",
]


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
    queries: tuple[str, ...] | None = None
    """What the application runs after the cutover (`--queries FILE`): these count at the statement
    gate, and what is recorded does not."""


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
    """What people asked for so far: `approve`, `finish`, `rollback`, `abort`; after a rollback that
    kept the sync, since then."""
    keeps_sync: bool = False
    """What is undone now is only the way to the rest in sync: both sides stay in sync."""

    @property
    def target(self) -> Colour:
        return self.source.other
