"""What holding and releasing the traffic of a maintenance share: the note of when, and the opening.

The note stands in the control database before anybody is held, so the measured downtime survives
the worker. It runs from the PAUSE that came to rest until the pool takes clients again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from shared.domain.facts import HeldTraffic
from shared.domain.migration import Job
from shared.ports import Node, Observations, Pooler

KEY = "held_traffic"
IS_FENCED = "SELECT bluegreen.is_fenced()"
LIFT = "SELECT bluegreen.lift()"


def alert_of(job: Job) -> str:
    """The name under which a maintenance is announced, and told to be over."""
    return f"maintenance/{job.id}"


def is_fenced(node: Node) -> bool:
    with node.session() as session:
        return bool(session.value(IS_FENCED))


def read_held(observations: Observations, job: Job) -> HeldTraffic | None:
    """What was noted since traffic is held; None: it was not, or it was released."""
    body = observations.seen(job.id, KEY)
    held = None if body is None else HeldTraffic.model_validate(body)
    return None if held is None or held.released_at is not None else held


def note_held(
    observations: Observations, job: Job, held_at: datetime | None = None, **known: Any
) -> HeldTraffic:
    """Add to the note; `held_at` begins one."""
    how = job.options.on_maintenance
    if held_at is not None:
        held = HeldTraffic(held_at=held_at, how=how)
    else:
        held = HeldTraffic.model_validate(observations.seen(job.id, KEY) or {})
        held = held.model_copy(update=known)
    observations.note(job.id, KEY, held.model_dump(mode="json"))
    return held


def open_again(
    serving: Node,
    pooler: Pooler,
    observations: Observations,
    job: Job,
    now: Callable[[], datetime],
) -> HeldTraffic | None:
    """Open the side that serves, let clients go on, and note when; None: nobody was held."""
    with serving.session() as session:
        session.value(LIFT)
    pooler.admit()
    held = read_held(observations, job)
    return None if held is None else note_held(observations, job, released_at=now())
