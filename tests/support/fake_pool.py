"""A pool that only counts, for steps whose servers are real and whose clients are not there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from shared.domain.environment import Colour
from shared.domain.errors import Transient
from shared.ports import PoolTraffic
from workers.replicator.short_pause import ShortPause


@dataclass
class CountingPool:
    """`busy`: how many of the next pauses find open transactions that do not end."""

    busy: int = 0
    pauses: int = 0
    paused: bool = False
    told: list[Mapping[str, Any]] = field(default_factory=list)
    route: Colour = Colour.BLUE
    counted: PoolTraffic = field(default_factory=lambda: PoolTraffic(0, 0.0))
    at_once: int = 40
    open_connections: int = 0

    @contextmanager
    def opened(self) -> Iterator[CountingPool]:
        yield self

    def pause(self, *, limit_s: float) -> None:
        if self.busy:
            self.busy -= 1
            raise Transient("expected open transactions to end, found some that did not")
        self.pauses += 1
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    def is_paused(self) -> bool:
        return self.paused

    def refuse(self) -> None:
        assert self.paused

    def admit(self) -> None:
        self.paused = False

    def traffic(self) -> PoolTraffic:
        return self.counted

    def connections(self) -> int:
        return self.open_connections

    def width(self) -> int:
        return self.at_once

    def narrow(self, at_once: int) -> None:
        self.at_once = at_once

    def widen(self) -> None:
        self.at_once = 40

    def prepare_route(self, colour: Colour) -> None: ...

    def flush_route(self) -> None: ...

    def route_to(self, colour: Colour, *, flush: bool = True) -> None:
        self.route = colour

    def routed_to(self) -> Colour:
        return self.route

    def say(self, message: Mapping[str, Any]) -> None:
        self.told.append(message)

    def hear(self, *, limit_s: float) -> dict[str, Any]:
        return {"ready": True}

    def end(self, *, limit_s: float) -> None: ...

    def short_pause(self) -> ShortPause:
        """This pool, and itself as the guard."""
        return ShortPause(self, self.opened)  # type: ignore[arg-type]
