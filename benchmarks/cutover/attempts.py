"""A switch that is tried until it succeeds, as its step does."""

from __future__ import annotations

import time

from shared.domain.errors import Transient
from workers.proxy_agent.switch import Order, Switch, Switched

LIMIT_S = 60.0
"""Of one switch with all its attempts: behind it the last error is the bench's."""
AGAIN_S = 0.5
"""Behind an attempt that gave up clients catch up first: at once, the next would meet them."""


def switched(switch: Switch, asked: Order) -> tuple[Switched, int]:
    """What it took; and how many attempts before it held clients and then changed nothing.

    Raises the last attempt's Transient when none succeeds within the limit.
    """
    deadline, gave_up = time.monotonic() + LIMIT_S, 0
    while True:
        try:
            return switch.run(asked), gave_up
        except Transient as error:
            gave_up += "gave up" in error.message
            if time.monotonic() > deadline:
                raise
        time.sleep(AGAIN_S)
