"""One deadline over all phases of a pause, and how long each of them took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from shared.domain.errors import Transient

RESERVE = 0.2
"""Part of the limit that is kept for the way back: giving up must fit into it as well."""


def nothing(_: str) -> None:
    """What happens at a named point, unless a test makes something happen there."""


@dataclass
class PauseClock:
    """Readings are of CLOCK_MONOTONIC, which all processes of a host share."""

    max_stall_ms: float
    deadline: float
    """Of the watchdog. Should it answer late, the pause has so much less, or does not begin: behind
    the deadline nobody guards it."""
    at: Callable[[str], None] = nothing
    began: float = field(default_factory=time.monotonic)
    phases_ms: dict[str, float] = field(default_factory=dict)
    begun_last: str = ""
    raised_first: str = ""
    """Two phases run beside each other: the one that began last need not be the one that raised."""
    ended: float | None = None
    """When clients were let go; None before."""

    def begin(self) -> None:
        """Clients are held from now on."""
        self.began = time.monotonic()

    def left_s(self) -> float:
        reserve_s = self.max_stall_ms * RESERVE / 1000
        return max(0.0, self.deadline - reserve_s - time.monotonic())

    def end(self) -> None:
        self.ended = time.monotonic()

    def window_ms(self) -> float:
        return round((time.monotonic() - self.began) * 1000, 3)

    def gave_up_in(self) -> str:
        """The phase that is told when the pause is taken back."""
        return self.raised_first or self.begun_last

    @contextmanager
    def phase(self, name: str, *, until_commit: bool = True) -> Iterator[None]:
        """Measure one phase. Before the commit point it begins only while there is time left.

        Raises Transient when there is none.
        """
        self.begun_last = name
        self.at(f"before {name}")
        try:
            if until_commit and self.left_s() <= 0:
                raise Transient(
                    f"expected the pause to be through within {self.max_stall_ms:.0f} ms, "
                    f"found {self.window_ms():.0f} ms gone before `{name}`"
                )
            began = time.monotonic()
            yield
        except BaseException:
            self.raised_first = self.raised_first or name
            raise
        self.phases_ms[name] = round((time.monotonic() - began) * 1000, 3)
        self.at(f"after {name}")
