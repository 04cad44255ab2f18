"""Poll with a limit: the only way in which a test waits."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(holds: Callable[[], object], *, limit_s: float, what: str) -> None:
    """Return once `holds()` is true; fail, naming `what`, when `limit_s` is over."""
    end = time.monotonic() + limit_s
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f"expected within {limit_s} s: {what}")
        time.sleep(0.02)
