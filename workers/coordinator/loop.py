"""The coordinator's loop: turn after turn, at once when something happened, else every second."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from shared.adapters.queue.redis_bus import RedisBus
from shared.domain.errors import Transient
from workers.coordinator.decide import SWEEP_S, Coordinator

LISTEN_MS = 1000
_log = structlog.get_logger("coordinator")


class Doorbell:
    """Rung by an event or a wake-up; heard by the loop."""

    def __init__(self) -> None:
        self._rung = threading.Event()

    def ring(self) -> None:
        self._rung.set()

    def wait(self, limit_s: float) -> None:
        self._rung.wait(limit_s)
        self._rung.clear()


def run_turns(coordinator: Coordinator, bell: Doorbell) -> Callable[[threading.Event], None]:
    """A loop that makes turns until it is told to stop."""

    def turns(stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                wait_s = coordinator.turn()
            except Transient as error:
                _log.warning("turn.failed", reason=error.message)
                wait_s = SWEEP_S
            bell.wait(wait_s)

    return turns


def listen(bus: RedisBus, bell: Doorbell) -> Callable[[threading.Event], None]:
    """A loop that rings the bell at each event on the stream. Redis away: the sweep goes on."""

    def listens(stop: threading.Event) -> None:
        last = ""
        while not stop.is_set():
            try:
                last = last or bus.newest()
                news = bus.read(last, block_ms=LISTEN_MS)
                if news:
                    last = news[-1][0]
                    bell.ring()
            except Transient as error:
                _log.warning("events.away", reason=error.message)
                last = ""
                stop.wait(SWEEP_S)

    return listens
