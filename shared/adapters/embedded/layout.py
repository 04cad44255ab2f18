"""What lies where in a state directory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SOCKET_PATH_LIMIT = 107
"""Bytes in the path of a unix socket (unix(7)), the closing zero left out."""
SETTINGS_FILE = "stack.json"


@dataclass(frozen=True, slots=True)
class Layout:
    root: Path

    @property
    def mark(self) -> Path:
        """Says that this directory is ours to remove; written first, removed last."""
        return self.root / "bluegreen-stack"

    @property
    def settings(self) -> Path:
        """Written when the servers stand: without it, a start was cut short."""
        return self.root / SETTINGS_FILE

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def backups(self) -> Path:
        return self.root / "backups"

    @property
    def supervisor(self) -> Path:
        return self.root / "supervisor"

    @property
    def deeds(self) -> Path:
        return self.root / "deeds"

    def server(self, name: str) -> ServerLayout:
        """A PostgreSQL server: `blue`, `green` or `control`."""
        return ServerLayout(self.root / name)

    def place(self, name: str) -> Path:
        """The working directory of any other child."""
        return self.root / name


@dataclass(frozen=True, slots=True)
class ServerLayout:
    root: Path

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def conf(self) -> Path:
        return self.root / "conf"

    @property
    def socket_dir(self) -> Path:
        return self.root / "socket"

    def socket(self, port: int) -> Path:
        return self.socket_dir / f".s.PGSQL.{port}"
