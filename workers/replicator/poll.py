"""Wait a moment inside one `do`, so that what takes milliseconds needs no second look."""

from __future__ import annotations

import time
from collections.abc import Callable

from shared.domain.errors import Transient

PAUSE_S = 0.01


def holds_within(limit_s: float, question: Callable[[], object]) -> bool:
    """Whether it holds before the limit is over; a server that cannot answer yet does not."""
    end = time.monotonic() + limit_s
    while True:
        try:
            if question():
                return True
        except Transient:
            pass  # it is starting, or letting go: that is what we wait for
        if time.monotonic() >= end:
            return False
        time.sleep(PAUSE_S)
