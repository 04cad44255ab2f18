"""The way back stays open for as long as was promised, and everyone sees how well it is.

Guarantee   the rollback window is over, or `finish` was asked for, or the WAL that is kept for it
            would soon fill the disk of the side that serves
Repeats     safe: it only looks
Undo        nothing to undo
Fails with  Broken  the target serves no more: traffic was brought back by hand, and what is left of
            the job is undone
            A way back that closes by itself is an alert, never a reason to take away the side that
            serves.
Source      docs/adr/0002
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from shared.domain.environment import Colour
from shared.domain.errors import Broken, MigrationError, Refused, Transient
from shared.domain.facts import Cutover
from shared.domain.health import way_back_alert
from shared.domain.migration import Job
from shared.domain.objects import REVERSE
from shared.ports import Alerts, Done, Node, Pending
from workers.health_monitor import traffic
from workers.health_monitor.sides import serving_side
from workers.health_monitor.traffic import Stream

LOOK_AGAIN_S = 2.0
IS_FENCED = "SELECT bluegreen.is_fenced()"
FULL_SHARE = 0.8
"""Of the disk that is free or holds WAL kept for us: over it the window ends, before the side that
serves stops for want of room."""


@dataclass(frozen=True)
class HoldRollbackWindow:
    nodes: Mapping[Colour, Node]
    alerts: Alerts
    now: Callable[[], datetime]

    name: ClassVar[str] = "hold_rollback_window"

    def is_done(self, job: Job) -> bool:
        return self._is_over(job) and not self._was_left(job)

    def do(self, job: Job) -> Done | Pending:
        target = serving_side(job)
        if self._was_left(job):
            raise Broken(
                f"expected {target} to serve, found {target.other}: "
                "traffic was brought back by hand"
            )
        left = self._left(job)
        if self._is_over(job):
            return Done("the rollback window is over")
        stream = self._look(job)
        if isinstance(stream, Stream) and (full := self._fills_the_disk(job, stream)):
            self.alerts.raise_alert(f"{way_back_alert(job.id)}/disk", "critical", full)
            self.alerts.clear_alert(f"{way_back_alert(job.id)}/disk", "the window was ended")
            return Done(full)
        window_s = max(job.options.rollback_window_s, 1e-9)
        return Pending(
            f"rollback possible for {_words(left)} more; {self._way_back(job, stream)}",
            min(0.99, max(0.0, 1 - left.total_seconds() / window_s)),
            min(LOOK_AGAIN_S, max(0.1, left.total_seconds())),
        )

    def undo(self, job: Job) -> Done | Pending:
        self.alerts.clear_alert(way_back_alert(job.id), "the job is being rolled back")
        return Done("nothing to undo")

    def _is_over(self, job: Job) -> bool:
        return "finish" in job.requests or self._left(job) <= timedelta(0)

    def _was_left(self, job: Job) -> bool:
        """The side that served before is open again, and the target is closed, or away."""
        target = serving_side(job)
        return self._is_fenced(target.other) is False and self._is_fenced(target) is not False

    def _is_fenced(self, colour: Colour) -> bool | None:
        """None where it cannot be asked."""
        with (
            suppress(MigrationError),
            self.nodes[colour].session(limit_s=traffic.LOOK_LIMIT_S) as session,
        ):
            return bool(session.value(IS_FENCED))
        return None

    def _left(self, job: Job) -> timedelta:
        opened = datetime.fromisoformat(Cutover.of(job).at)
        return opened + timedelta(seconds=job.options.rollback_window_s) - self.now()

    def _look(self, job: Job) -> Stream | Transient:
        serving = serving_side(job)
        try:
            return traffic.stream(self.nodes[serving], self.nodes[serving.other], REVERSE)
        except Transient as error:
            return error

    def _way_back(self, job: Job, stream: Stream | Transient) -> str:
        if isinstance(stream, Transient):
            return f"the way back cannot be seen now ({stream.message})"
        self._tell(job, stream)
        if stream.is_lost:
            return "THE WAY BACK IS CLOSED: the WAL that it needs is gone"
        if not stream.is_alive:
            return f"REPLICATION BACK HAS STOPPED after {stream.errors} errors"
        old = serving_side(job).other
        return f"{old} is {stream.lag_bytes} bytes behind{_losses(stream)}"

    def _fills_the_disk(self, job: Job, stream: Stream) -> str:
        """Why the window must end now; empty while there is room, or where nobody can tell."""
        serving = serving_side(job)
        try:
            free_bytes = self.nodes[serving].driver.free_disk_bytes()
        except (Refused, Transient):
            return ""
        if stream.kept_bytes <= FULL_SHARE * (stream.kept_bytes + free_bytes):
            return ""
        return (
            f"the rollback window ends: {stream.kept_bytes >> 20} MB of WAL are kept for it on "
            f"{serving} and {free_bytes >> 20} MB of its disk are free"
        )

    def _tell(self, job: Job, stream: Stream) -> None:
        name, old = way_back_alert(job.id), serving_side(job).other
        if stream.is_alive and not stream.is_lost:
            self.alerts.clear_alert(name, "replication back to the old side goes on")
            return
        what = (
            f"the way back to {old} is closed: it was more than max_slot_wal_keep_size behind, and "
            f"the WAL that it needs is gone; `bluegreen finish {job.id}` is the only way on"
            if stream.is_lost
            else f"replication back to {old} has stopped, so a rollback would lose writes; see its "
            "log, mend the row there and enable the subscription again, or finish the job"
        )
        detail = {"job": job.id, "errors": stream.errors}
        self.alerts.raise_alert(name, "critical", f"job {job.id}: {what}", detail)


def _losses(stream: Stream) -> str:
    return f", {stream.lost_values} values would be lost" if stream.lost_values else ""


def _words(left: timedelta) -> str:
    seconds = max(0, round(left.total_seconds()))
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds % 60} s"
