"""No search for reference cycles while trees are read: they have none, and there are many of them.

A tree of ten thousand dictionaries makes the collector look at every object of the process again
and again, which takes longer than the validation. Reference counting frees them all the same.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collection() -> Iterator[None]:
    """Inside, memory is freed by reference counting alone. May be nested."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            _grow_old()
            gc.enable()


def _grow_old() -> None:
    """Have what is young counted among the old: else all that was made meanwhile is looked at, at
    once, for cycles that it does not have. Not where somebody else has frozen objects."""
    if not gc.get_freeze_count():
        gc.freeze()
        gc.unfreeze()
