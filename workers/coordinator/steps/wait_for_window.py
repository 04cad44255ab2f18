"""The clock is inside the time that was asked for with `--at` and `--window`.

Guarantee   it is not before `--at`, and inside `--window`, when the step is done
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

from shared.domain.migration import Job
from shared.domain.window import opens_at
from shared.ports import Done, Pending

LONGEST_LOOK_S = 30.0


@dataclass(frozen=True, slots=True)
class WaitForWindow:
    clock: Callable[[], datetime]
    """Aware, UTC."""
    name: ClassVar[str] = "wait_for_window"

    def is_done(self, job: Job) -> bool:
        return self._opens_at(job) <= self.clock()

    def do(self, job: Job) -> Done | Pending:
        left_s = (self._opens_at(job) - self.clock()).total_seconds()
        if left_s <= 0:
            return Done("the time has come")
        opens = f"{self._opens_at(job):%Y-%m-%d %H:%M:%S} UTC"
        return Pending(f"waits until {opens}", look_again_s=min(LONGEST_LOOK_S, left_s))

    def undo(self, job: Job) -> Done | Pending:
        """Waiting changed nothing."""
        return Done()

    def _opens_at(self, job: Job) -> datetime:
        return opens_at(job.options.at, job.options.window, self.clock())
