"""Health in the project's words: what a check answers, and when an answer becomes an alert."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from shared.domain.kinds import Kind

Severity = Literal["info", "warning", "critical"]
GROUPS = (
    "blue", "green", "sides", "standby", "replication", "schema", "door", "pooler", "log", "redis",
    "agent", "control", "audit", "rollback_point", "certificate",
)  # fmt: skip
"""First words of the checks' names, all of which docs/monitoring.md explains."""


def way_back_alert(job: str) -> str:
    """Name of the alert that is raised while the way back of that job is closed."""
    return f"rollback-window/{job}"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check found."""

    name: str
    """Stable, lower case with dots: `blue.available`, `slot.retained`."""
    healthy: bool
    sentence: str
    severity: Severity = "warning"
    """Of the alert, when it is not healthy."""
    value: float | None = None
    """What was measured, in the unit that the name's metric has."""
    more: Mapping[str, float] = field(default_factory=dict)
    """Other figures of the same look, by name; for metrics."""


@dataclass(frozen=True, slots=True)
class RunningStep:
    """Where a live job is."""

    kind: Kind
    step: str
    backward: bool = False
    """It is being undone."""


@dataclass(frozen=True, slots=True)
class Damper:
    """Turns samples into changes: `needed` of the last `window` samples must agree.

    A single bad sample raises nothing, a single good one clears nothing: no flapping.
    """

    window: int = 3
    needed: int = 2
    raised: bool = False
    samples: tuple[bool, ...] = ()

    def after(self, healthy: bool) -> tuple[Damper, Literal["raise", "clear"] | None]:
        """The damper behind this sample, and what changed by it."""
        samples = (*self.samples, healthy)[-self.window :]
        bad = samples.count(False)
        if not self.raised and bad >= self.needed:
            return replace(self, raised=True, samples=()), "raise"
        if self.raised and len(samples) - bad >= self.needed:
            return replace(self, raised=False, samples=()), "clear"
        return replace(self, samples=samples), None
