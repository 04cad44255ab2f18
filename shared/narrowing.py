"""How many of the pool's connections a cutover leaves in use. Pure but for `needed` and `narrowed`.

A pool keeps connections for its worst moment. Around a pause each of them costs what clients wait
for: PAUSE ends it, and behind RESUME a new one takes a login and reads the catalogs anew, on the
same processors as the transactions that were held (measured on two cores: PAUSE 13 ms and 32 ms
behind RESUME with 16 connections, 3 and 22 ms with 4). So from shortly before PAUSE until shortly
behind RESUME it uses a few: somewhat more than are in use at once on average.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from shared.domain.errors import MigrationError
from shared.ports import Pooler, PoolTraffic

LEAST = 2
SPARE = 1.5
"""Held transactions are let in half as fast again as they come, or faster. (More at once finish no
sooner where the servers' processors are busy: on two cores 14 held ones were through 33 ms behind
RESUME over 2 connections, 44 over 4, 60 over 12; the pooler logs in one connection at a time.)"""
SAMPLE_S = 0.4
"""What is counted is the application's alone: our own preparation makes its transactions longer."""
STEP_S = 0.1
"""Between two steps of widening: time for a connection to log in and to warm."""
CALM_S = 0.35
"""From narrowing to PAUSE. The pooler ends surplus connections three times a second (PgBouncer,
janitor.c), and what that took of the processors has passed: open transactions, which PAUSE waits
for, are few and quick again."""


def needed(pooler: Pooler) -> int:
    """Connections that the traffic of this moment needs, and no more than the pool has."""
    before = pooler.traffic()
    time.sleep(SAMPLE_S)
    return min(width(before, pooler.traffic(), SAMPLE_S), pooler.width())


def width(before: PoolTraffic, now: PoolTraffic, over_s: float) -> int:
    """Transactions at once: those that were under way or waited on average, and room to spare."""
    busy = max(0.0, now.seconds - before.seconds) / max(over_s, 0.001)
    return max(LEAST, math.ceil(SPARE * busy))


@contextmanager
def narrowed(pooler: Pooler, at_once: int) -> Iterator[None]:
    """Whatever comes of the block, the pool is as wide as before at its end. Where this process
    dies in it, the watchdog widens it, or who settles the attempt."""
    full = pooler.width()
    pooler.narrow(at_once)
    try:
        yield
        _ease(pooler, at_once, full)
    finally:
        with suppress(MigrationError):
            pooler.widen()


def _ease(pooler: Pooler, at_once: int, full: int) -> None:
    """Widen by a quarter at a time: let in all at once, those who wait that moment would each be
    given a connection to log in and to warm, on the processors that serve them, and so would those
    whom that holds up."""
    with suppress(MigrationError):
        while (at_once := at_once + max(1, at_once // 4)) < full:
            time.sleep(STEP_S)
            pooler.narrow(at_once)
