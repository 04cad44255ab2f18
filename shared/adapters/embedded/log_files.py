"""No log of a stack grows for ever: each is cut where it is long, and a few older parts stay.

A process keeps its log open for appending, so the file itself stays and is emptied behind a copy;
nobody has to be told. Lines that are written between the end of the copy and the cut, some
microseconds, may be lost. The same bounds as those of the compose stack (compose/parts.yml).
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MOST_BYTES = 10 << 20
OLDER_PARTS = 2
"""`NAME.1` is the newest of them."""
LOOK_EVERY_S = 5.0
CHUNK_BYTES = 1 << 20


@dataclass
class LogFiles:
    """The logs below one directory: of children, and one directory deeper those of the servers."""

    directory: Path
    most_bytes: int = MOST_BYTES
    _next_look: float = 0.0

    def look(self, now: float) -> None:
        """Cut what is too long, every few seconds. What cannot be cut is told, and tried again."""
        if now < self._next_look:
            return
        self._next_look = now + LOOK_EVERY_S
        for path in self._logs():
            try:
                if path.stat().st_size > self.most_bytes:
                    cut(path)
            except FileNotFoundError:
                continue
            except OSError as error:
                print(f"{path} cannot be cut: {error.strerror}", file=sys.stderr, flush=True)

    def _logs(self) -> Iterator[Path]:
        yield from self.directory.glob("*.log")
        yield from self.directory.glob("*/postgresql-*.json")


def cut(path: Path) -> None:
    """Move the older parts on, copy the log into the newest of them, and empty it.

    Raises OSError; the log is whole then, and so is its copy or there is none.
    """
    for number in range(OLDER_PARTS, 1, -1):
        with suppress(FileNotFoundError):
            _part(path, number - 1).replace(_part(path, number))
    newest = _part(path, 1)
    fresh = newest.with_name(f".{newest.name}")
    try:
        with path.open("r+b", buffering=0) as log, fresh.open("wb", buffering=0) as copy:
            shutil.copyfileobj(log, copy, CHUNK_BYTES)
            _keep_owner(log.fileno(), copy.fileno())
            fresh.replace(newest)
            shutil.copyfileobj(log, copy, CHUNK_BYTES)  # what came meanwhile
            log.truncate(0)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise


def _part(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")


def _keep_owner(log: int, copy: int) -> None:
    """The servers' logs belong to their user, also where root cuts them."""
    was = os.fstat(log)
    os.fchmod(copy, was.st_mode & 0o777)
    if os.geteuid() == 0:
        os.fchown(copy, was.st_uid, was.st_gid)
