"""The clock is inside the time that was asked for with `--at` and `--window`.

Guarantee   it is not before `--at`, and inside `--window`, when the step is done; people were told
            beforehand what is planned
Repeats     safe; it only looks
Undo        nothing to undo
Fails with  Refused    a time that cannot be read
Source      shared/domain/window.py
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from shared.domain.facts import OpenedWindow
from shared.domain.migration import Job, Kind
from shared.domain.window import opens_at
from shared.ports import Alerts, Done, Pending

LONGEST_LOOK_S = 30.0


@dataclass(frozen=True, slots=True)
class WaitForWindow:
    clock: Callable[[], datetime]
    """Aware, UTC."""
    alerts: Alerts
    name: ClassVar[str] = "wait_for_window"

    def is_done(self, job: Job) -> bool:
        return self._opens_at(job) <= self.clock()

    def do(self, job: Job) -> Done | Pending:
        left_s = (self._opens_at(job) - self.clock()).total_seconds()
        if left_s <= 0:
            self.alerts.clear_alert(_alert_of(job), f"the time for {job.file_name} has come")
            opened = OpenedWindow(at=self.clock())
            return Done("the time has come", opened.model_dump(mode="json"))
        opens = f"{self._opens_at(job):%Y-%m-%d %H:%M:%S} UTC"
        self.alerts.raise_alert(
            _alert_of(job), "info", f"{_planned(job)} {opens}: {job.file_name}, job {job.id}"
        )
        return Pending(f"waits until {opens}", look_again_s=min(LONGEST_LOOK_S, left_s))

    def undo(self, job: Job) -> Done | Pending:
        """Waiting changed nothing."""
        self.alerts.clear_alert(_alert_of(job), f"{job.file_name} is called off")
        return Done()

    def _opens_at(self, job: Job) -> datetime:
        return opens_at(job.options.at, job.options.window, self.clock())


def _alert_of(job: Job) -> str:
    kind = "maintenance" if job.kind is Kind.MAINTENANCE else "planned"
    return f"{kind}/{job.id}/planned"


def _planned(job: Job) -> str:
    if job.kind is not Kind.MAINTENANCE:
        return f"a change of {job.database} is planned for"
    meets = "wait" if job.options.on_maintenance == "hold" else "are refused"
    return f"maintenance of {job.database}, in which clients {meets}, is planned for"
