"""All poolers that clients use, as one: held together, led together.

Guarantee   `pause` returns: every one holds its clients; it raises: none does
            `route_to` returns: each that runs leads there, each that is away will when it starts
Repeats     safe
Fails with  what shared/adapters/pooler/pgbouncer.py fails with; the message names the pooler
Source      docs/cutover.md, "Several proxies"
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from shared.adapters.pooler.open_poolers import OpenPoolers
from shared.adapters.pooler.pgbouncer import PgBouncer
from shared.adapters.pooler.pooler_member import Member
from shared.domain.environment import Colour
from shared.domain.errors import Transient
from shared.ports import Pooler, PoolTraffic
from shared.settings import Settings


def poolers_of(settings: Settings) -> Pooler:
    """The Pooler port over every proxy that the settings name."""
    if not settings.further_poolers:
        return PgBouncer(settings)
    return Poolers(settings)


@dataclass(frozen=True, slots=True)
class Poolers:
    """By their settings; every call opens connections, `opened()` keeps them."""

    settings: Settings

    @contextmanager
    def opened(self) -> Iterator[OpenPoolers]:
        """One that does not answer is left out; it is asked again at each call that needs it.

        Raises Transient when none answers.
        """
        addresses = (self.settings.pooler, *self.settings.further_poolers)
        with ExitStack() as stack:
            members = [Member(self.settings, address, stack) for address in addresses]
            if not any([member.reach() for member in members]):
                raise Transient("expected a pooler to answer, found none of them")
            yield OpenPoolers(self.settings, members)

    def pause(self, *, limit_s: float) -> None:
        with self.opened() as poolers:
            poolers.pause(limit_s=limit_s)

    def resume(self) -> None:
        with self.opened() as poolers:
            poolers.resume()

    def is_paused(self) -> bool:
        with self.opened() as poolers:
            return poolers.is_paused()

    def refuse(self) -> None:
        with self.opened() as poolers:
            poolers.refuse()

    def admit(self) -> None:
        with self.opened() as poolers:
            poolers.admit()

    def traffic(self) -> PoolTraffic:
        with self.opened() as poolers:
            return poolers.traffic()

    def prepare_route(self, colour: Colour) -> None:
        with self.opened() as poolers:
            poolers.prepare_route(colour)

    def route_to(self, colour: Colour, *, flush: bool = True) -> None:
        with self.opened() as poolers:
            poolers.route_to(colour, flush=flush)

    def flush_route(self) -> None:
        with self.opened() as poolers:
            poolers.flush_route()

    def routed_to(self) -> Colour:
        with self.opened() as poolers:
            return poolers.routed_to()

    def connections(self) -> int:
        with self.opened() as poolers:
            return poolers.connections()

    def width(self) -> int:
        with self.opened() as poolers:
            return poolers.width()

    def narrow(self, at_once: int) -> None:
        with self.opened() as poolers:
            poolers.narrow(at_once)

    def widen(self) -> None:
        with self.opened() as poolers:
            poolers.widen()
