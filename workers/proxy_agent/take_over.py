"""The side that serves is dead: the other one takes over, if its losses are accepted.

Guarantee   that side is open, with the names of the way that replication led; the dead one is
            closed by whoever settles next once it answers (`settle.py`)
Fails with  Refused  the loss is not accepted, or no replication led here
            Transient  another cutover is at work
Source      docs/cutover.md, "When the side that serves is dead"
"""

from __future__ import annotations

from shared.domain.errors import Refused
from workers.proxy_agent import locks
from workers.proxy_agent.attempt import Attempt, Way
from workers.proxy_agent.preparation import CARRYING
from workers.proxy_agent.side import ServerSide

SEQUENCE_HEADROOM = 100_000
"""How far sequences move past what is stored: the dead side may have handed out more."""
LAST_JOB = "SELECT job FROM bluegreen.applied ORDER BY at DESC LIMIT 1"
NO_JOB = "by hand"


def take_over(side: ServerSide, job: str | None, *, accept_loss: bool) -> Attempt:
    """`side` is fenced, and the other one does not answer. Returns the attempt that it won."""
    locks.take(side, locks.SWITCH)
    dead = side.colour.other
    last = side.newest()
    way = _way_that_led_to(side, job or (last.job if last is not None else NO_JOB))
    applied = side.applied_up_to(way) if way is not None else None
    if way is None or applied is None:
        raise Refused(
            f"expected {side.colour} to follow {dead}, which does not answer, found no replication "
            "between them; nothing was touched",
            remedy=f"start {dead} again, or restore a rollback point: `bluegreen backups list`",
        )
    if not accept_loss:
        raise Refused(
            _what_may_be_missing(side, applied),
            remedy=f"start {dead} again; or add --accept-loss, and {dead} will not serve any more",
        )
    number = 1 if last is None else last.number + 1
    known = job or (last.job if last is not None else side.session.value(LAST_JOB)) or NO_JOB
    attempt = Attempt(number, known, way, dead, side.colour, returning=False)
    side.take_over(attempt, SEQUENCE_HEADROOM)
    return attempt


def _way_that_led_to(side: ServerSide, job: str) -> Way | None:
    """The stream that runs, or was meant to: a dead publisher stops its subscriber for good, and
    what has arrived by then is known all the same."""
    runs = {way: side.session.value(CARRYING, (way.stream,)) for way in Way}
    for way, enabled in runs.items():
        if enabled or (enabled is False and side.is_meant_to_run(job, way)):
            return way
    return None


def _what_may_be_missing(side: ServerSide, lsns: tuple[str, str | None]) -> str:
    applied, heard_of = lsns
    dead = side.colour.other
    told = f" ({dead} had told of {heard_of})" if heard_of else ""
    return (
        f"{dead} does not answer, so {side.colour} can only serve what it has: all that {dead} "
        f"had written up to LSN {applied}{told}. What {dead} committed behind it is missing; "
        "nothing was touched"
    )
