"""No transaction of the application runs through the pooled door until `release_traffic`.

Guarantee   the pool is paused: clients wait, or are refused where `--on-maintenance refuse` says so
Repeats     safe
Undo        clients go on; safe when they were never held
Fails with  nothing for long: open transactions are waited for, again and again, until the limit
Source      PgBouncer manual, "Admin console": PAUSE, DISABLE, KILL
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import ClassVar

from shared.domain.errors import Transient
from shared.domain.migration import Job
from shared.ports import Done, Pending, Pooler

PAUSE_LIMIT_S = 2.0
LONGEST_LOOK_S = 2.0


@dataclass(frozen=True)
class HoldTraffic:
    pooler: Pooler
    name: ClassVar[str] = "hold_traffic"

    def is_done(self, job: Job) -> bool:
        return self.pooler.is_paused()

    def do(self, job: Job) -> Done | Pending:
        try:
            self.pooler.pause(limit_s=PAUSE_LIMIT_S)
        except Transient as error:
            again_s = random.uniform(0.5, LONGEST_LOOK_S)
            return Pending(error.message, look_again_s=again_s)
        if job.options.on_maintenance == "refuse":
            self.pooler.refuse()
            return Done("clients are refused until the file has run")
        return Done("clients are held until the file has run")

    def undo(self, job: Job) -> Done:
        self.pooler.admit()
        return Done("clients go on")
