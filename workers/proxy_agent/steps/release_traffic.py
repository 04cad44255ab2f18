"""The application's transactions run again: the file stays.

Guarantee   the active side is open, and the pool is not paused and takes new clients
Repeats     safe
Undo        refused once anybody may have written: the standby, held since before the file, has
            nothing of that; before, nothing to undo
Fails with  Transient  the pooler or the active side does not answer
Source      PgBouncer manual, "Admin console": RESUME, ENABLE; docs/adr/0018
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from shared.domain.environment import Colour
from shared.domain.errors import Refused
from shared.domain.facts import HeldTraffic
from shared.domain.migration import Job
from shared.ports import Alerts, Done, Node, Observations, Pooler
from workers.proxy_agent import opening


@dataclass(frozen=True)
class ReleaseTraffic:
    nodes: Mapping[Colour, Node]
    pooler: Pooler
    observations: Observations
    alerts: Alerts
    now: Callable[[], datetime]
    name: ClassVar[str] = "release_traffic"

    def is_done(self, job: Job) -> bool:
        return not self.pooler.is_paused() and not opening.is_fenced(self.nodes[job.source])

    def do(self, job: Job) -> Done:
        opening.open_again(self.nodes[job.source], self.pooler, self.observations, job, self.now)
        held = self._noted(job)
        said = f"clients go on after {held.seconds:.1f} s"
        self.alerts.clear_alert(
            opening.alert_of(job), f"maintenance of {job.database} is over: {said}"
        )
        return Done(said, held.model_dump(mode="json"))

    def undo(self, job: Job) -> Done:
        if self.pooler.is_paused() and opening.is_fenced(self.nodes[job.source]):
            return Done("nobody was let go on yet")
        self.do(job)  # wholly, not half: clients shall not be held by a job that goes on
        raise Refused(
            f"{job.source} is open again, and what clients write there is not on {job.target}:"
            " the way back by the standby is closed"
        )

    def recall(self, job: Job) -> Mapping[str, Any]:
        return self._noted(job).model_dump(mode="json")

    def _noted(self, job: Job) -> HeldTraffic:
        body = self.observations.seen(job.id, opening.KEY)
        if body is None:
            return HeldTraffic(held_at=self.now(), released_at=self.now())
        return HeldTraffic.model_validate(body)
