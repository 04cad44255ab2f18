"""The doors that applications come through, and the process that guards a pause of them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from shared.domain.environment import Colour


@dataclass(frozen=True, slots=True)
class PoolTraffic:
    """What the pooler counted for the application's database since it started."""

    transactions: int
    seconds: float
    """Over all clients: in transactions, and waiting for a server."""


class Pooler(Protocol):
    """PgBouncer: the valve that holds clients without failing them, and the pooled route."""

    def opened(self) -> AbstractContextManager[Pooler]:
        """The same pooler over connections that stand already: for calls that must be quick."""
        ...

    def pause(self, *, limit_s: float) -> None:
        """Hold new transactions, wait for open ones. Raises Transient when `limit_s` is over;
        the pool is then already resumed."""
        ...

    def resume(self) -> None:
        """Let clients go on; a pool that is not paused is left as it is."""
        ...

    def is_paused(self) -> bool: ...

    def refuse(self) -> None:
        """Of a paused pool: turn clients away with a message instead of letting them wait."""
        ...

    def admit(self) -> None:
        """Let clients in again and go on, whatever held or refused them."""
        ...

    def traffic(self) -> PoolTraffic: ...

    def prepare_route(self, colour: Colour) -> None:
        """Write what `route_to` will put in place. Raises Refused when the route cannot be
        written: better known before a pause than in it."""
        ...

    def route_to(self, colour: Colour, *, flush: bool = True) -> None:
        """Put the route in place, reload, and read it back. Without `flush` a crash of the host
        may bring back the route before it, until `flush_route`."""
        ...

    def flush_route(self) -> None:
        """The route that was put in place last survives a crash of the host."""
        ...

    def routed_to(self) -> Colour: ...

    def connections(self) -> int:
        """How many server connections stand that clients' transactions use."""
        ...

    def width(self) -> int:
        """How many transactions it lets be under way at once."""
        ...

    def narrow(self, at_once: int) -> None:
        """Have no more transactions than that under way at once, until `widen` or the next
        `route_to`; idle connections beyond it are ended within half a second."""
        ...

    def widen(self) -> None:
        """As many as the configuration says."""
        ...


class DirectDoor(Protocol):
    """nginx: the door for session features, routed by one symlink."""

    def kept(self) -> AbstractContextManager[DirectDoor]:
        """The same door with a process beside it that `hold` needs: it outlives ours."""
        ...

    def hold(self) -> None:
        """What connects from now on waits, and reaches the side that `route_to` names next."""
        ...

    def route_to(self, colour: Colour) -> None: ...

    def routed_to(self) -> Colour | None:
        """None while what connects is held."""
        ...


class Door(Protocol):
    """The pooled door as a client sees it."""

    def round_trip_ms(self, *, limit_s: float) -> float:
        """Log in and run one statement. Raises Transient when that fails or takes longer."""
        ...


class Companion(Protocol):
    """A process of ours beside this one, spoken to in JSON. It learns at once when we die."""

    def say(self, message: Mapping[str, Any]) -> None: ...

    def hear(self, *, limit_s: float) -> dict[str, Any]:
        """The next message. Raises Transient when there is none in time, or it has ended."""
        ...

    def end(self, *, limit_s: float) -> None:
        """Let it end by itself within the limit, else kill it, also when it is frozen."""
        ...
