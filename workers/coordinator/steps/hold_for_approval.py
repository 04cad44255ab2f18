"""A person has said that the job may go on.

Guarantee   `approve` was asked for this job while it waited here
Repeats     safe; it only looks
Undo        nothing to undo
Fails with  nothing: it waits until it is approved or aborted
Source      docs/saga.md; asked for with `run --hold`
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shared.domain.migration import Job
from shared.ports import Done, Pending

LOOK_AGAIN_S = 5.0
"""`approve` makes the next look at once; this only keeps the progress alive."""


@dataclass(frozen=True, slots=True)
class HoldForApproval:
    name: ClassVar[str] = "hold_for_approval"

    def is_done(self, job: Job) -> bool:
        return "approve" in job.requests

    def do(self, job: Job) -> Done | Pending:
        if self.is_done(job):
            return Done("approved")
        return Pending(f"waits for `bluegreen approve {job.id}`", look_again_s=LOOK_AGAIN_S)

    def undo(self, job: Job) -> Done | Pending:
        """Waiting changed nothing."""
        return Done()
