"""One attempt at a cutover, and what two servers say about it. Pure.

`old` is the side that serves before, `new` the one that is to serve after: in a rollback the new
side is the job's source. `forward` ends with the file's names, `back` with those before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from shared.domain.environment import Colour
from shared.domain.objects import FORWARD, REVERSE

Side = Literal["old", "new"]
State = Literal["open", "committed", "burnt"]


class Way(StrEnum):
    FORWARD = "forward"
    BACK = "back"

    @property
    def opposite(self) -> Way:
        return Way.BACK if self is Way.FORWARD else Way.FORWARD

    @property
    def stream(self) -> str:
        """The publication, slot and subscription that carry writes this way."""
        return FORWARD if self is Way.FORWARD else REVERSE


@dataclass(frozen=True, slots=True)
class Attempt:
    number: int
    """Greater than any before it on both servers: what makes late orders worthless."""
    job: str
    way: Way
    old: Colour
    new: Colour
    returning: bool
    """Whether the stream from the new side back to the old one begins in the pause."""

    @property
    def direction(self) -> str:
        return f"{self.old}->{self.new}"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What one server holds of its newest attempt."""

    number: int
    job: str
    way: Way
    side: Side
    state: State
    returning: bool
    apart_at: str | None = None
    """On the new side, once it is prepared: the LSN at which its own history begins."""
    taken_over: bool = False
    """On the new side: the old one was dead and was not asked."""


def newest(records: dict[Colour, Recorded | None]) -> tuple[Attempt, dict[Side, State]] | None:
    """The newest attempt that either server knows, and its state on each; None without any.

    A server that does not hold it yet is left out: then nothing was done for it anywhere, for a
    pause begins only when both hold it.
    """
    known = {colour: record for colour, record in records.items() if record is not None}
    if not known:
        return None
    number = max(record.number for record in known.values())
    here = {colour: record for colour, record in known.items() if record.number == number}
    colour, record = next(iter(here.items()))
    old = colour if record.side == "old" else colour.other
    attempt = Attempt(number, record.job, record.way, old, old.other, record.returning)
    return attempt, {record.side: record.state for record in here.values()}
