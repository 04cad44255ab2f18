"""Watches that never two sides accept a write: the application role asks both, 20 times a second.

Each probe is a login and an insert on one server, past the doors. Green as a standby refuses it
for being read-only, a fenced side at the login; both are what must happen.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Self

import psycopg

PERIOD_S = 0.05
APPLICATION = "probe of both sides"
"""Stacks of tests let it come past the doors (Settings.exempt_applications)."""
TABLE = "CREATE TABLE IF NOT EXISTS probe_of_sides (id bigserial PRIMARY KEY, side text NOT NULL)"


@dataclass(frozen=True, slots=True)
class Accepted:
    """One write that a side acknowledged, between two readings of one clock."""

    began: float
    ended: float
    side: str


@dataclass
class TwoSides:
    """`with TwoSides({"blue": dsn, "green": dsn}) as sides:` and then `sides.turns()`."""

    dsns: dict[str, str]
    accepted: list[Accepted] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        for side, dsn in self.dsns.items():
            thread = threading.Thread(target=self._probe, args=(side, dsn), daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(10)

    def _probe(self, side: str, dsn: str) -> None:
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                with psycopg.connect(
                    dsn, connect_timeout=2, autocommit=True, application_name=APPLICATION
                ) as connection:
                    connection.execute("INSERT INTO probe_of_sides (side) VALUES (%s)", (side,))
                    self.accepted.append(Accepted(began, time.monotonic(), side))
            except psycopg.Error:
                pass
            self._stop.wait(max(0.0, PERIOD_S - (time.monotonic() - began)))

    def turns(self) -> list[str]:
        """The side that accepted, each time it changed: `["blue", "green"]` after one cutover."""
        sides: list[str] = []
        for write in sorted(self.accepted, key=lambda write: write.ended):
            if not sides or sides[-1] != write.side:
                sides.append(write.side)
        return sides
