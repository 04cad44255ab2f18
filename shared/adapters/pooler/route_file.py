"""The pooler's route file: one database line, replaced whole.

Guarantee   a reader, or a crash, meets the old route or the new one; after `flush` the new one
Repeats     safe
Fails with  Refused  the directory cannot be written, or its disk is full
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from shared.domain.environment import Colour
from shared.domain.errors import Refused
from shared.settings import NodeSettings, Settings

DRAFT_LIFE_S = 3600.0


def route_text(database: str, node: NodeSettings) -> str:
    """The `[databases]` section with the one line that is the pooled route."""
    return (
        f"; the route of the pooled door: {node.colour}\n"
        "[databases]\n"
        f"{database} = host={node.host} port={node.port} dbname={database}\n"
    )


@dataclass(frozen=True, slots=True)
class RouteFile:
    settings: Settings
    path: Path

    def holds(self, colour: Colour) -> bool:
        return _reads(self.path, self._text(colour))

    def prepare(self, colour: Colour) -> None:
        """Have the text on disk, beside the file."""
        with self._refusing():
            descriptor = os.open(self._draft(colour), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            try:
                os.fchmod(descriptor, 0o644)  # the pooler runs as another user
                os.write(descriptor, self._text(colour).encode())
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def put_in_place(self, colour: Colour) -> None:
        if not _reads(self._draft(colour), self._text(colour)):
            self.prepare(colour)
        with self._refusing():
            self._draft(colour).rename(self.path)

    def flush(self) -> None:
        with self._refusing():
            directory = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)

    def discard_drafts(self) -> None:
        """What `prepare` left of a route that was not taken, and of processes long dead."""
        for draft in self.path.parent.glob(f".{self.path.name}.*"):
            with suppress(OSError):
                old = time.time() - draft.stat().st_mtime > DRAFT_LIFE_S
                if old or draft.name.endswith(f".{os.getpid()}"):
                    draft.unlink()

    def _draft(self, colour: Colour) -> Path:
        """Each process has its own: a cutover and its watchdog may write at once."""
        return self.path.with_name(f".{self.path.name}.{colour}.{os.getpid()}")

    def _text(self, colour: Colour) -> str:
        return route_text(self.settings.database, self.settings.nodes[colour])

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise Refused(
                f"expected to write the pooler's route {self.path}, found {error.strerror}",
                remedy="let the proxy-agent's user write that directory, and make room on its disk",
            ) from error


def _reads(path: Path, text: str) -> bool:
    with suppress(OSError):
        return path.read_text(encoding="utf-8") == text
    return False
