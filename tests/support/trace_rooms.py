"""Throw-away servers for hundreds of files, each on a database of its own.

To copy a schema costs more than to run a file on it, so the server lies in memory where there is
enough, and the next copy is made while a file runs.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from shared.adapters.trace.schema import SchemaRoom
from shared.adapters.trace.throwaway import ThrowAway, throw_away_server

MEMORY = Path("/dev/shm")
ROOM_BYTES = 2 * 2**30
"""Far more than a server and its WAL take."""


@contextmanager
def quick_server(version: int) -> Iterator[ThrowAway]:
    with throw_away_server(version, parent=_memory()) as server:
        yield server


def _memory() -> Path | None:
    """None where there is none, or too little: then on disk, as any other."""
    if not os.access(MEMORY, os.W_OK | os.X_OK):
        return None
    return MEMORY if shutil.disk_usage(MEMORY).free > ROOM_BYTES else None


def databases(room: SchemaRoom) -> Iterator[str]:
    """Fresh copies of the room's schema; the one before is gone with the one after."""
    with ThreadPoolExecutor(1) as beside:
        next_one = beside.submit(room.fresh, "file_0")
        for number in count(1):
            made = next_one.result()
            next_one = beside.submit(room.fresh, f"file_{number % 2}")
            yield made
