"""What is learned of a job on its way and kept by the control database until it is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class RehearsedFile:
    """What a rehearsal learned."""

    mapping: Mapping[str, Any]
    """A shared.mapping.model.Mapping, as JSON."""
    run_as: str
    """Role that the file runs as."""


class RehearsalRoom(Protocol):
    """Empty copies of one server's schema, made for a rehearsal and dropped after it."""

    def rehearse(self, sql: str) -> RehearsedFile:
        """Raises Refused, with statement, line and remedy, for what cannot be carried."""
        ...

    def is_clear(self) -> bool:
        """No copy is there."""
        ...

    def clear(self) -> None: ...


class Rehearsals(Protocol):
    """What rehearsals learned, by job."""

    def find(self, job: str) -> RehearsedFile | None: ...

    def save(self, job: str, rehearsed: RehearsedFile) -> None: ...

    def forget(self, job: str) -> None: ...


class Comparisons(Protocol):
    """How far the comparison of a job has come, as JSON, by job."""

    def find(self, job: str) -> Mapping[str, Any] | None: ...

    def save(self, job: str, progress: Mapping[str, Any]) -> None: ...

    def forget(self, job: str) -> None: ...


class Observations(Protocol):
    """What a step saw of a job at an earlier look, kept in the control database."""

    def seen(self, job: str, key: str) -> Mapping[str, Any] | None: ...

    def note(self, job: str, key: str, body: Mapping[str, Any]) -> None:
        """Keep it under that key, in place of what stood there."""
        ...


@dataclass(frozen=True, slots=True)
class SwitchRecord:
    """One change of sides, and what the probe through the pooled door saw of it."""

    job: str
    attempt: int
    direction: str
    """`blue->green` or `green->blue`."""
    at: datetime
    window_ms: float
    """From PAUSE to RESUME; the whole attempt where its process died in it."""
    phases_ms: Mapping[str, float] = field(default_factory=dict)
    connections_cut: int = 0
    failed_transactions: int | None = None
    """None, as all that follow: no probe was running."""
    baseline_p50_ms: float | None = None
    baseline_p99_ms: float | None = None
    longest_ms: float | None = None
    samples: Sequence[tuple[float, float, bool]] = ()
    """(milliseconds from PAUSE, latency in milliseconds, acknowledged) of each transaction."""


class Switches(Protocol):
    """What was measured of each change of sides, kept for the report."""

    def save(self, record: SwitchRecord) -> None:
        """A record of the same job and attempt is kept as it is."""
        ...

    def of_job(self, job: str) -> list[SwitchRecord]:
        """Oldest first."""
        ...
