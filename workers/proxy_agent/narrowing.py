"""How many of the pool's connections a cutover leaves in use. Pure but for `narrowed`.

A pool keeps connections for its worst moment. Around a pause each of them costs what clients wait
for: PAUSE ends it, and behind RESUME a new one takes a login and reads the catalogs anew, on the
same processors as the transactions that were held (measured on two cores: PAUSE 13 ms and 32 ms
behind RESUME with 16 connections, 3 and 22 ms with 4). So from shortly before PAUSE until shortly
behind RESUME it uses a few: several times what is in use at once on average.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from shared.domain.errors import MigrationError
from shared.ports import Pooler, PoolTraffic

LEAST = 4
SPARE = 3.0
"""Held transactions are let in three times as fast as they come, or faster."""
CALM_S = 0.35
"""From the last preparation to PAUSE. The pooler ends surplus connections three times a second
(PgBouncer, janitor.c), and what the preparation took of the processors has passed: open
transactions, which PAUSE waits for, are few and quick again."""


def width(before: PoolTraffic, now: PoolTraffic, over_s: float) -> int:
    """Transactions at once: those that were under way or waited on average, and room to spare."""
    busy = max(0.0, now.seconds - before.seconds) / max(over_s, 0.001)
    return max(LEAST, math.ceil(SPARE * busy))


@contextmanager
def narrowed(pooler: Pooler, at_once: int) -> Iterator[None]:
    """Whatever comes of the block, the pool is as wide as before at its end. Where this process
    dies in it, the watchdog widens it, or who settles the attempt."""
    pooler.narrow(at_once)
    try:
        yield
    finally:
        with suppress(MigrationError):
            pooler.widen()
