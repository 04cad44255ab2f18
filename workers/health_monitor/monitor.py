"""The monitor that never stops: looks, dampens, tells once what changed.

Planned work is not a fault: while a job takes a server, its standby or the traffic away on purpose,
and in the quiet times of the settings, the checks that it disturbs are looked at and not counted.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog

from shared.adapters.control.health_store import BadEnd, HealthStore
from shared.adapters.health.alerts import AlertBook
from shared.adapters.health.metrics import Metrics
from shared.domain.errors import MigrationError
from shared.domain.health import CheckResult, Damper, RunningStep, Severity
from shared.domain.messages import HealthChanged
from shared.monitor_settings import MonitorSettings
from shared.ports import Bus
from workers.health_monitor.planned import is_planned, is_quiet

NAME = "health-monitor"
_log = structlog.get_logger("monitor")


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Monitor:
    look_at_all: Callable[[], list[CheckResult]]
    store: HealthStore
    alerts: AlertBook
    bus: Bus
    metrics: Metrics
    settings: MonitorSettings = field(default_factory=MonitorSettings)
    after_look: Callable[[list[CheckResult]], None] = lambda _: None
    """What else is kept of a look."""
    now: Callable[[], datetime] = _now
    dampers: dict[str, Damper] = field(default_factory=dict)

    def run(self, stop: threading.Event) -> None:
        """A look each period, however long the looks take."""
        while not stop.is_set():
            began = time.monotonic()
            self.look()
            stop.wait(max(0.1, began + self.settings.period_s - time.monotonic()))

    def look(self) -> None:
        """One look at everything. What cannot be kept is logged: the next look tries again."""
        results = self.look_at_all()
        running: frozenset[RunningStep] = frozenset()
        try:
            running = self.store.running_steps()
        except MigrationError as error:
            _log.warning("monitor.steps_unknown", reason=error.message)
        else:
            for keep in (
                lambda: self.store.beat(NAME),
                lambda: self.store.record(results),
                self._tell_bad_ends,
                lambda: self.after_look(results),
            ):
                _try(keep)
        for result in results:
            self._count(result, running)
        self.alerts.tell()
        self.metrics.show(results)

    def _count(self, result: CheckResult, running: frozenset[RunningStep]) -> None:
        if not result.healthy and self._is_expected(result.name, running):
            return
        damper = self.dampers.get(result.name) or Damper(self.settings.window, self.settings.needed)
        damper, change = damper.after(result.healthy)
        self.dampers[result.name] = damper
        if change is None:
            if len(damper.samples) == 1 and result.healthy and not damper.raised:
                # Raised by a monitor that died since: whoever sees it well clears it.
                self.alerts.clear_alert(result.name, result.sentence)
            return
        self.bus.publish(
            HealthChanged(
                at=self.now(),
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

    def _is_expected(self, check: str, running: frozenset[RunningStep]) -> bool:
        return is_planned(check, running) or is_quiet(check, self.settings.quiet_times, self.now())

    def _tell_bad_ends(self) -> None:
        """A job that ended otherwise than completed is an alert until a later one completes."""
        for end in self.store.untold_bad_ends():
            severity: Severity = "critical" if end.outcome == "needs_operator" else "warning"
            self.alerts.raise_alert(
                f"job/{end.job}", severity, bad_end(end), {"job": end.job, "step": end.step}
            )
        for name in self.store.settled_bad_ends():
            self.alerts.clear_alert(name, "a later job completed, or a day has passed")


def _try(keep: Callable[[], None]) -> None:
    """What cannot be kept keeps nothing else from it."""
    try:
        keep()
    except MigrationError as error:
        _log.warning("monitor.not_kept", reason=error.message)


def bad_end(end: BadEnd) -> str:
    """Step, cause and way back, in one sentence."""
    step = f" at {end.step}" if end.step else ""
    remedy = f"; {end.remedy}" if end.remedy else ""
    return (
        f"job {end.job} ({end.file_name} on {end.database}) ended {end.outcome}{step}: "
        f"{end.cause or end.sentence}{remedy}; {way_back(end)}; "
        f"`bluegreen report {end.job}` tells the whole"
    )


def way_back(end: BadEnd) -> str:
    """What a person can do from here, by how the job ended."""
    match end.outcome:
        case "rolled_back":
            return "everything is as it was before the job"
        case "refused":
            return "nothing was changed"
        case _:
            return (
                f"`bluegreen status {end.job}` shows where it stands, "
                f"`bluegreen rollback {end.job}` undoes it"
            )
