"""The control database as the producer sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from shared.domain.environment import Colour
from shared.domain.migration import Kind, Outcome, RunOptions, StepState
from shared.saga.events import Steering


class ControlStore(Protocol):
    """The control database as the producer sees it: submit, ask, steer (shared/adapters/control).

    Raises Transient when it cannot be reached.
    """

    def submit(
        self,
        *,
        database: str,
        kind: Kind,
        file_name: str,
        sql: str,
        options: RunOptions,
        source: Colour,
        requested_by: str,
    ) -> str:
        """Write the job and return its id. Raises `AnotherJob` while one is live on the database,
        `AlreadyApplied` / `EditedAfterApplied` for a file that a completed job carried."""
        ...

    def expect_unapplied(self, *, database: str, file_name: str, sql: str) -> None:
        """Raises `AlreadyApplied` / `EditedAfterApplied` as `submit` would; writes nothing."""
        ...

    def job(self, job: str) -> JobRecord:
        """Raises Refused when there is no such job."""
        ...

    def jobs(self, *, limit: int = 50, live_only: bool = False) -> list[JobRecord]:
        """Newest first."""
        ...

    def job_with_file(self, database: str, file_name: str) -> JobRecord | None:
        """The last job that carried a file of that name; None where none did."""
        ...

    def steps(self, job: str) -> list[StepRecord]: ...

    def history(self, job: str, *, after: int = 0) -> list[HistoryRecord]: ...

    def request(self, job: str, what: Steering, *, by: str) -> None:
        """Ask the coordinator for something; it is noted now and honoured at the next answer.

        Raises Refused, with the reason, when the job's state makes it impossible.
        """
        ...

    def append_audit(self, *, actor: str, action: str, detail: Mapping[str, Any]) -> None: ...


@dataclass(frozen=True, slots=True)
class JobRecord:
    """One row of `job`."""

    id: str
    database: str
    kind: Kind
    file_name: str
    sql: str
    options: RunOptions
    source: Colour
    phase: str
    """requested | forward | backward | stuck | completed | rolled_back | refused"""
    step: str | None
    outcome: Outcome | None
    sentence: str
    """The last sentence for people: why it ended, or what it does."""
    epoch: int
    attempt: int
    requested_by: str
    requested_at: datetime
    ended_at: datetime | None
    facts: Mapping[str, Mapping[str, Any]]
    remedy: str = ""
    """What a person can do about `sentence`, where something can be done."""
    details_removed_at: datetime | None = None
    """When retention removed all but this row and the facts that prove something."""


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One row of `step`: for people, rebuilt when it is lost."""

    name: str
    owner: str
    state: StepState
    attempts: int
    progress: float | None
    sentence: str
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class HistoryRecord:
    seq: int
    at: datetime
    phase: str
    event: str
    step: str | None
    sentence: str
