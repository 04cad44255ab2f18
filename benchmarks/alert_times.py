"""From a fault to its alert, and from its end to the alert's: with every agent at work.

    .venv/bin/python -m benchmarks.alert_times --rounds 3

Faults: the active server dead, the standby dead, a worker stopped, a standby that lags, a slot that
fills the disk. The limits of lag and of kept WAL are lowered so that 32 MB are too much; nothing
else differs from a stack as `bluegreen up` makes it. Times are taken at the event stream, where an
alert arrives together with its row and before its message to a chat.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.bench import keep, reconfigure_monitor, stack, summary, until
from shared.adapters.embedded.child import ControlFiles
from shared.adapters.embedded.layout import Layout
from shared.adapters.queue.redis_bus import RedisBus
from shared.settings import load

BOUND_S = 15.0
LIMIT_S = 60.0
"""An alert that has not come, or gone, by then ends the bench with its name."""
SETTLE_S = 20.0
"""Five looks of the monitor: what the start of the stack set off has been told and taken back."""
TOO_MUCH_BYTES = 32 << 20
WRITE = "INSERT INTO written SELECT repeat('x', 1000) FROM generate_series(1, 45000)"
Fault = Callable[["Arena"], Iterator[None]]


class Arena:
    """The stack, and what is told on its event stream."""

    def __init__(self, state: Path, doors: dict[str, str]) -> None:
        self.state, self.doors = state, doors
        self.control = ControlFiles(Layout(state).supervisor)
        self.bus = RedisBus(load({"BLUEGREEN_STATE_DIR": str(state)}))
        self.after = self.bus.newest()

    def sql(self, side: str, *statements: str) -> None:
        with psycopg.connect(self.doors[side], autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def seconds_until(self, kind: str, alert: str) -> float:
        began = time.monotonic()
        while (passed := time.monotonic() - began) < LIMIT_S:
            for entry, event in self.bus.read(self.after, block_ms=200):
                self.after = entry
                if event.type == kind and getattr(event, "alert", "") == alert:
                    return time.monotonic() - began
        raise SystemExit(f"expected {kind} of {alert} within {LIMIT_S:g} s, waited {passed:.0f} s")


def away(child: str) -> Fault:
    def fault(arena: Arena) -> Iterator[None]:
        arena.control.want(child, "stopped at once")
        ended = f"{child} has ended"
        until(lambda: not arena.control.status(child).is_running, what=ended, look_s=0.01)
        yield
        arena.control.want(child, "running")

    return fault


def lag(arena: Arena) -> Iterator[None]:
    arena.sql("green", "SELECT pg_wal_replay_pause()")
    arena.sql("blue", WRITE)
    yield
    arena.sql("green", "SELECT pg_wal_replay_resume()")


def filling_slot(arena: Arena) -> Iterator[None]:
    arena.sql("blue", "SELECT pg_create_physical_replication_slot('left_behind', true)", WRITE)
    yield
    arena.sql("blue", "SELECT pg_drop_replication_slot('left_behind')")


FAULTS: dict[str, tuple[str, Fault]] = {
    "active server dead": ("blue.available", away("blue")),
    "standby dead": ("green.available", away("green")),
    "worker stopped": ("agent.validator", away("validator")),
    "standby lags": ("replication.lag", lag),
    "slot fills the disk": ("blue.retained_wal", filling_slot),
}


def measure(arena: Arena, alert: str, fault: Fault) -> tuple[float, float]:
    """Seconds until it was told, and until its end was told."""
    with contextmanager(fault)(arena):
        raised_s = arena.seconds_until("AlertRaised", alert)
    return raised_s, arena.seconds_until("AlertCleared", alert)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    words = parser.parse_args()
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in FAULTS}
    with stack() as (state, doors):
        free = os.statvfs(state).f_bavail * os.statvfs(state).f_frsize
        limits = {"lag_bytes": TOO_MUCH_BYTES, "retained_share": TOO_MUCH_BYTES / free}
        reconfigure_monitor(state, {"limits": limits})
        arena = Arena(state, doors)
        arena.sql("blue", "CREATE TABLE written (text text)")
        time.sleep(SETTLE_S)
        for _ in range(words.rounds):
            for name, (alert, fault) in FAULTS.items():
                found[name].append(measure(arena, alert, fault))
                arena.sql("blue", "TRUNCATE written")
    faults: dict[str, Any] = {
        name: {
            "alert": FAULTS[name][0],
            "raisedS": summary([raised for raised, _ in times]),
            "clearedS": summary([cleared for _, cleared in times]),
        }
        for name, times in found.items()
    }
    keep("alert-times", {"boundS": BOUND_S, "faults": faults, "loadAverage": os.getloadavg()})
    return 0 if all(max(pair) < BOUND_S for times in found.values() for pair in times) else 1


if __name__ == "__main__":
    sys.exit(main())
