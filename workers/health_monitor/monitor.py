"""The monitor that never stops: looks, dampens, tells once what changed.

Planned work is not a fault: while a job's step takes a server or replication away on purpose, the
checks that it disturbs are looked at and not counted.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog

from shared.adapters.control.health_store import BadEnd, HealthStore
from shared.adapters.metrics import Metrics
from shared.domain.errors import MigrationError
from shared.domain.health import CheckResult, Damper, Severity
from shared.domain.messages import HealthChanged
from shared.ports import Alerts, Bus

PERIOD_S = 4.0
_PAIR = ("blue.available", "green.available", ".retained_wal", "standby.", "replication.")
PLANNED: dict[str, tuple[str, ...]] = {
    "create_green": _PAIR,
    "restore_standby": _PAIR,
    "finish": ("standby.", "replication."),
    "pause_standby_replay": ("standby.", "replication."),
    "hold_traffic": ("door.", "pooler."),
    "apply_on_active": ("door.", "pooler.waiting"),
    "cutover": ("door.", "pooler.waiting", "replication."),
}
"""Steps that disturb a check on purpose, and parts of the names of the checks that they disturb."""
_log = structlog.get_logger("monitor")


@dataclass
class Monitor:
    check_all: Callable[[], list[CheckResult]]
    store: HealthStore
    alerts: Alerts
    bus: Bus
    metrics: Metrics
    period_s: float = PERIOD_S
    dampers: dict[str, Damper] = field(default_factory=dict)

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self.look()
            stop.wait(self.period_s)

    def look(self) -> None:
        """One look at everything. What cannot be kept is logged: the next look tries again."""
        results = self.check_all()
        steps: set[str] = set()
        jobs: list[tuple[str, str, int]] = []
        try:
            steps, jobs = self.store.running_steps(), self.store.job_counts()
            self.store.record(results)
            self._tell_bad_ends()
        except MigrationError as error:
            _log.warning("monitor.not_kept", reason=error.message)
        for result in results:
            self._count(result, steps)
        self.metrics.show(results, jobs)

    def _count(self, result: CheckResult, steps: set[str]) -> None:
        if not result.healthy and is_planned(result.name, steps):
            return
        damper, change = self.dampers.get(result.name, Damper()).after(result.healthy)
        self.dampers[result.name] = damper
        if change is None:
            if len(damper.samples) == 1 and result.healthy and not damper.raised:
                # Raised by a monitor that died since: whoever sees it well clears it.
                self.alerts.clear_alert(result.name, result.sentence)
            return
        self.bus.publish(
            HealthChanged(
                at=datetime.now(UTC),
                check=result.name,
                healthy=change == "clear",
                sentence=result.sentence,
            )
        )
        if change == "raise":
            self.alerts.raise_alert(
                result.name, result.severity, result.sentence, {"value": result.value}
            )
        else:
            self.alerts.clear_alert(result.name, result.sentence)

    def _tell_bad_ends(self) -> None:
        """A job that ended otherwise than completed is an alert until a later one completes."""
        for end in self.store.untold_bad_ends():
            severity: Severity = "critical" if end.outcome == "needs_operator" else "warning"
            self.alerts.raise_alert(
                f"job/{end.job}", severity, bad_end(end), {"job": end.job, "step": end.step}
            )
        for name in self.store.settled_bad_ends():
            self.alerts.clear_alert(name, "a later job completed, or a day has passed")


def is_planned(check: str, steps: set[str]) -> bool:
    """Whether one of the steps that run now takes away on purpose what the check looks at."""
    return any(part in check for step in steps for part in PLANNED.get(step, ()))


def bad_end(end: BadEnd) -> str:
    """Step, cause and way back, in one sentence."""
    step = f" at {end.step}" if end.step else ""
    remedy = f"; {end.remedy}" if end.remedy else ""
    return (
        f"job {end.job} ({end.file_name} on {end.database}) ended {end.outcome}{step}: "
        f"{end.cause or end.sentence}{remedy}; `bluegreen report {end.job}` tells the whole"
    )
