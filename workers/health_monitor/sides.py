"""Which side serves a job's application now, by what the cutover left."""

from __future__ import annotations

from shared.domain.environment import Colour
from shared.domain.facts import Cutover
from shared.domain.migration import Job


def serving_side(job: Job) -> Colour:
    """The side that a cutover led to; without one the job's source."""
    cutover = Cutover.maybe(job)
    return job.source if cutover is None else Colour(cutover.direction.split("->")[1])
