"""No transaction of the application runs, through either door, until `release_traffic`.

Guarantee   the pool is paused: clients wait, or are refused where `--on-maintenance refuse` says
            so; the active side is fenced, so nobody comes through the direct door either
Repeats     safe
Undo        the side that serves is opened and clients go on; safe when they were never held
Fails with  nothing for long: open transactions are waited for, again and again, until the limit
Source      PgBouncer manual, "Admin console": PAUSE, DISABLE, KILL; docs/maintenance.md
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from shared.domain.environment import Colour
from shared.domain.errors import Transient
from shared.domain.facts import HeldTraffic
from shared.domain.migration import Job
from shared.ports import Alerts, Done, Node, Observations, Pending, Pooler
from workers.proxy_agent import opening

PAUSE_LIMIT_S = 2.0
LONGEST_LOOK_S = 2.0
EMPTY_LIMIT_MS = 2000
FENCE = "SELECT bluegreen.fence()"
EMPTY = "SELECT ended, left_over FROM bluegreen.empty(%s)"
WHAT_CLIENTS_MEET = {"hold": "clients wait", "refuse": "clients are refused"}


@dataclass(frozen=True)
class HoldTraffic:
    nodes: Mapping[Colour, Node]
    pooler: Pooler
    observations: Observations
    alerts: Alerts
    now: Callable[[], datetime]
    name: ClassVar[str] = "hold_traffic"

    def is_done(self, job: Job) -> bool:
        return self.pooler.is_paused() and opening.is_fenced(self.nodes[job.source])

    def do(self, job: Job) -> Done | Pending:
        meets = WHAT_CLIENTS_MEET[job.options.on_maintenance]
        self.alerts.raise_alert(
            opening.alert_of(job), "info",
            f"maintenance of {job.database} begins: {meets} until {job.file_name} has run",
            {"job": job.id},
        )  # fmt: skip
        held_at = self.now()
        try:
            self.pooler.pause(limit_s=PAUSE_LIMIT_S)
        except Transient as error:
            again_s = random.uniform(0.5, LONGEST_LOOK_S)
            return Pending(error.message, look_again_s=again_s)
        if opening.read_held(self.observations, job) is None:
            opening.note_held(self.observations, job, held_at)
        if job.options.on_maintenance == "refuse":
            self.pooler.refuse()
        cut, left_over = self._fence(job)
        if left_over:
            return Pending(f"{left_over} sessions on {job.source} do not end yet", look_again_s=0.2)
        held = opening.note_held(self.observations, job, sessions_cut=cut)
        past = f"; {cut} sessions of the direct door were cut" if cut else ""
        return Done(f"{meets} until the file has run{past}", held.model_dump(mode="json"))

    def undo(self, job: Job) -> Done:
        held = opening.open_again(
            self.nodes[self.pooler.routed_to()], self.pooler, self.observations, job, self.now
        )
        if held is None:
            self.alerts.clear_alert(opening.alert_of(job), "nobody was held")
            return Done("clients were not held")
        said = f"clients go on after {held.seconds:.1f} s"
        self.alerts.clear_alert(
            opening.alert_of(job),
            f"maintenance of {job.database} is over, {job.file_name} was not applied: {said}",
        )
        return Done(said, held.model_dump(mode="json"))

    def recall(self, job: Job) -> Mapping[str, Any]:
        held = opening.read_held(self.observations, job) or HeldTraffic(held_at=self.now())
        return held.model_dump(mode="json")

    def _fence(self, job: Job) -> tuple[int, int]:
        """How many sessions past the pool were ended, and how many are left over."""
        with self.nodes[job.source].session() as session:
            session.value(FENCE)
            ended, left_over = session.row(EMPTY, [EMPTY_LIMIT_MS]) or (0, 0)
        return int(ended), int(left_over)
