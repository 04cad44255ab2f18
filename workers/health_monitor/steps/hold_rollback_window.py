"""The way back stays open for as long as was promised, and everyone sees how well it is.

Guarantee   the rollback window is over, or `finish` was asked for
Repeats     safe: it only looks
Undo        nothing to undo
Fails with  nothing: a way back that closes by itself is an alert, never a reason to take away the
            side that serves
Source      docs/adr/0002
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from shared.domain.environment import Colour
from shared.domain.errors import Transient
from shared.domain.facts import Cutover
from shared.domain.migration import Job
from shared.ports import Alerts, Done, Node, Pending
from workers.health_monitor import traffic
from workers.health_monitor.sides import serving_side
from workers.health_monitor.traffic import ReverseStream

LOOK_AGAIN_S = 2.0


@dataclass(frozen=True)
class HoldRollbackWindow:
    nodes: Mapping[Colour, Node]
    alerts: Alerts
    now: Callable[[], datetime]

    name: ClassVar[str] = "hold_rollback_window"

    def is_done(self, job: Job) -> bool:
        return "finish" in job.requests or self._left(job) <= timedelta(0)

    def do(self, job: Job) -> Done | Pending:
        left = self._left(job)
        if self.is_done(job):
            return Done("the rollback window is over")
        window_s = max(job.options.rollback_window_s, 1e-9)
        return Pending(
            f"rollback possible for {_words(left)} more; {self._way_back(job)}",
            min(0.99, max(0.0, 1 - left.total_seconds() / window_s)),
            min(LOOK_AGAIN_S, max(0.1, left.total_seconds())),
        )

    def undo(self, job: Job) -> Done | Pending:
        self.alerts.clear_alert(_alert(job), "the job is being rolled back")
        return Done("nothing to undo")

    def _left(self, job: Job) -> timedelta:
        opened = datetime.fromisoformat(Cutover.of(job).at)
        return opened + timedelta(seconds=job.options.rollback_window_s) - self.now()

    def _way_back(self, job: Job) -> str:
        serving = serving_side(job)
        try:
            stream = traffic.reverse_stream(self.nodes[serving], self.nodes[serving.other])
        except Transient as error:
            return f"the way back cannot be seen now ({error.message})"
        self._tell(job, stream)
        if not stream.is_alive:
            return f"REPLICATION BACK HAS STOPPED after {stream.errors} errors"
        return f"{serving.other} is {stream.lag_bytes} bytes behind{_losses(stream)}"

    def _tell(self, job: Job, stream: ReverseStream) -> None:
        if stream.is_alive:
            self.alerts.clear_alert(_alert(job), "replication back to the old side goes on")
            return
        self.alerts.raise_alert(
            _alert(job),
            "critical",
            f"job {job.id}: replication back to {serving_side(job).other} has stopped, so a "
            "rollback would lose writes; see its log, mend the row there and enable the "
            "subscription again, or finish the job",
            {"job": job.id, "errors": stream.errors},
        )


def _losses(stream: ReverseStream) -> str:
    return f", {stream.lost_values} values would be lost" if stream.lost_values else ""


def _alert(job: Job) -> str:
    return f"rollback-window/{job.id}"


def _words(left: timedelta) -> str:
    seconds = max(0, round(left.total_seconds()))
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds % 60} s"
