"""Whether a measure grows, from looks at it over time. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

PARTS = 3
"""The last part of the looks lies above all of the first: what swings up and down does not."""


@dataclass(frozen=True, slots=True)
class Look:
    at_s: float
    value: float


@dataclass(frozen=True, slots=True)
class Growth:
    span_s: float
    first: float
    last: float

    @property
    def per_second(self) -> float:
        return (self.last - self.first) / self.span_s

    def seconds_until(self, limit: float) -> float:
        """At this pace; 0 when it is reached already."""
        return max(0.0, limit - self.last) / self.per_second


def kept(looks: Sequence[Look], new: Look, *, span_s: float) -> tuple[Look, ...]:
    """The looks that a judgement over `span_s` needs, the new one included."""
    all_looks = (*looks, new)
    begin = max(
        (i for i, look in enumerate(all_looks) if new.at_s - look.at_s >= span_s), default=0
    )
    return all_looks[begin:]


def growth(looks: Sequence[Look], *, span_s: float) -> Growth | None:
    """How it grew over at least `span_s`; None while that is not known, or it did not."""
    if len(looks) < 2 * PARTS or looks[-1].at_s - looks[0].at_s < span_s:
        return None
    part = len(looks) // PARTS
    first, last = [x.value for x in looks[:part]], [x.value for x in looks[-part:]]
    if min(last) <= max(first):
        return None
    return Growth(looks[-1].at_s - looks[0].at_s, first[0], last[-1])
