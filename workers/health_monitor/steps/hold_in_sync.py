"""Both sides rest in sync after a rollback that kept the sync, until a person decides.

Guarantee   `approve` was asked for since then; nothing to wait for where the target never served
Repeats     safe: it only looks
Undo        nothing to undo
Fails with  nothing: a stream that stops is an alert; what goes on from here looks at it first
Source      docs/rollback.md
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

from shared.domain.environment import Colour
from shared.domain.errors import Transient
from shared.domain.migration import Job
from shared.domain.objects import FORWARD
from shared.ports import Alerts, Done, Node, Pending
from shared.sql.went_back import WENT_BACK
from workers.health_monitor import traffic

LOOK_AGAIN_S = 2.0
LIMIT_S = 5.0


@dataclass(frozen=True)
class HoldInSync:
    nodes: Mapping[Colour, Node]
    alerts: Alerts

    name: ClassVar[str] = "hold_in_sync"
    only_looks: ClassVar[bool] = True

    def is_done(self, job: Job) -> bool:
        if "approve" in job.requests:
            return True
        with suppress(Transient):  # it cannot be asked now, and nothing was decided
            return not self._went_back(job)
        return False

    def do(self, job: Job) -> Done | Pending:
        if self.is_done(job):
            self.alerts.clear_alert(_alert(job), "the job goes on")
            return Done(f"{job.target} is made ready to serve")
        return Pending(
            f"{job.source} serves, {job.target} stays in sync ({self._stream(job)}); waits for "
            f"`bluegreen approve {job.id}` or `bluegreen abort {job.id}`",
            look_again_s=LOOK_AGAIN_S,
        )

    def undo(self, job: Job) -> Done | Pending:
        self.alerts.clear_alert(_alert(job), "the job is being undone")
        return Done("nothing to undo")

    def _went_back(self, job: Job) -> bool:
        with self.nodes[job.source].session(limit_s=LIMIT_S) as session:
            return session.value(WENT_BACK, [job.id]) is not None

    def _stream(self, job: Job) -> str:
        try:
            stream = traffic.stream(self.nodes[job.source], self.nodes[job.target], FORWARD)
        except Transient as error:
            return f"which cannot be seen now: {error.message}"
        if stream.is_alive:
            self.alerts.clear_alert(_alert(job), "replication forward goes on")
            return f"{stream.lag_bytes} bytes behind"
        self.alerts.raise_alert(
            _alert(job),
            "warning",
            f"job {job.id}: {job.target} no longer takes what {job.source} sends; "
            f"`bluegreen abort {job.id}` gives it up",
            {"job": job.id, "errors": stream.errors},
        )
        return f"REPLICATION HAS STOPPED after {stream.errors} errors"


def _alert(job: Job) -> str:
    return f"in-sync/{job.id}"
