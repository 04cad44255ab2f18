"""The application's transactions run again.

Guarantee   the pool is not paused and takes new clients
Repeats     safe
Undo        clients are held again, while what was done before is undone; the undo of
            `hold_traffic` lets them go on
Source      PgBouncer manual, "Admin console": RESUME, ENABLE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shared.domain.errors import Transient
from shared.domain.migration import Job
from shared.ports import Done, Pending, Pooler

PAUSE_LIMIT_S = 2.0


@dataclass(frozen=True)
class ReleaseTraffic:
    pooler: Pooler
    name: ClassVar[str] = "release_traffic"

    def is_done(self, job: Job) -> bool:
        return not self.pooler.is_paused()

    def do(self, job: Job) -> Done:
        self.pooler.admit()
        return Done("clients go on")

    def undo(self, job: Job) -> Done | Pending:
        try:
            self.pooler.pause(limit_s=PAUSE_LIMIT_S)
        except Transient as error:
            return Pending(error.message)
        return Done("clients are held again")
