"""Who watches the monitor: another agent looks whether its heartbeat still comes.

The monitor's process may be frozen, and then tells nothing of anything. Outside of the stack the
rule `MonitorSilent` of compose/monitoring says the same from the metrics.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from shared.adapters.control.health_store import HealthStore
from shared.adapters.health.alerts import AlertBook
from shared.domain.errors import MigrationError

WATCHED = "health-monitor"
ALERT = "monitor.heartbeat"
LOOK_S = 2.0
PERIODS = 2.5
"""A heartbeat may be late by a slow look; with two and a half periods it is missing."""
START_S = 60.0
"""So long after our own start nobody is missed: the stack may still be starting."""
_log = structlog.get_logger("heartbeat")


@dataclass
class HeartbeatWatch:
    store: HealthStore
    alerts: AlertBook
    period_s: float
    """Of the monitor's looks."""
    clock: Callable[[], float] = time.monotonic
    _began: float | None = field(init=False, default=None)
    _missed: bool | None = field(init=False, default=None)

    def run(self, stop: threading.Event) -> None:
        while not stop.wait(LOOK_S):
            try:
                self.look()
            except MigrationError as error:
                _log.warning("heartbeat.not_read", reason=error.message)

    def look(self) -> None:
        """Raises Transient when the control database is away, which the monitor tells."""
        if self._began is None:
            self._began = self.clock()
        age_s = self.store.heartbeat_age_s(WATCHED)
        limit_s = PERIODS * self.period_s
        if age_s is not None and age_s <= limit_s:
            if self._missed is not False:
                self.alerts.clear_alert(ALERT, "the monitor looks again")
            self._missed = False
        elif self.clock() - self._began > START_S or self._missed is False:
            said = "never" if age_s is None else f"for {age_s:.0f} s not"
            self.alerts.raise_alert(
                ALERT,
                "critical",
                f"the health-monitor has {said} looked: no other alert can be relied on; see its "
                "log, or start it again",
            )
            self._missed = True
