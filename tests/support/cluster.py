"""Real PostgreSQL servers for tests: `with postgres(version) as server:` in a private directory."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import psycopg

from shared.adapters.embedded.accounts import process_options, server_account
from shared.adapters.embedded.ports import NAMES, Ports
from shared.adapters.embedded.postgres_binaries import find_postgres


@cache
def bin_dir(version: int) -> Path:
    """Where the programs of that major version are, found as `bluegreen up` finds them: by asking
    several of them for their version, so only once."""
    return find_postgres(version).bin_dir


def unprivileged() -> dict[str, object]:
    """Arguments for subprocess that leave root behind, since a server refuses to run as root."""
    return process_options(server_account())


_HELD: list[socket.socket] = []
"""Each holds a block of ports until this process ends, as a stack holds its own: tests and stacks
beside us are never offered one of them, whether somebody listens there yet or not."""
_UNUSED: list[int] = []


def free_port() -> int:
    """A port that no other process of ours is given, below the ephemeral range; each only once."""
    if not _UNUSED:
        ports, held = Ports.choose()
        _HELD.append(held)
        _UNUSED.extend(ports[name] for name in NAMES)
    return _UNUSED.pop()


@dataclass
class Server:
    version: int
    root: Path
    port: int
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def bin(self) -> Path:
        return bin_dir(self.version)

    def dsn(self, database: str = "postgres", user: str = "postgres") -> str:
        return f"host=127.0.0.1 port={self.port} dbname={database} user={user}"

    def connect(self, database: str = "postgres", user: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(self.dsn(database, user), autocommit=True)

    def run(self, program: str, *args: str, **options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.bin / program, *args],
            capture_output=True, text=True, check=True, cwd=self.root,
            **{**unprivileged(), **options},
        )  # fmt: skip

    def start(self) -> None:
        options = " ".join(f"-c {name}={value}" for name, value in self.settings.items())
        log = str(self.root / "log")
        # pg_ctl leaves the server its output descriptors: they must not be our pipes.
        subprocess.run(
            [self.bin / "pg_ctl", "start", "-w", "-t", "30", "-D", str(self.data), "-l", log,
             "-o", f"-p {self.port} -k {self.root} {options}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, cwd=self.root,
            **unprivileged(),
        )  # fmt: skip

    def follow(self, primary: Server) -> None:
        """Start as a standby of that server, whose history this data directory shares."""
        (self.data / "standby.signal").touch()
        self.settings = {**self.settings, "primary_conninfo": f"'{primary.dsn()}'"}
        self.start()

    def stop(self, mode: str = "fast") -> None:
        self.run("pg_ctl", "stop", "-w", "-m", mode, "-D", str(self.data))


@contextmanager
def postgres(version: int = 15, **settings: str) -> Iterator[Server]:
    """A running server that trusts everyone on loopback, gone at the end."""
    root = Path(tempfile.mkdtemp(prefix="bluegreen-pg-"))
    drop = unprivileged()
    if drop:
        os.chown(root, drop["user"], drop["group"])  # type: ignore[arg-type]
    defaults = {
        "listen_addresses": "127.0.0.1", "wal_level": "logical", "fsync": "off",
        "max_wal_senders": "20", "max_replication_slots": "20", "wal_log_hints": "on",
        "jit": "off",
    }  # fmt: skip
    server = Server(version, root, free_port(), defaults | settings)
    server.run("initdb", "-D", str(server.data), "-U", "postgres", "-A", "trust", "-E", "UTF8",
               "--no-sync", "--locale=C")  # fmt: skip
    server.start()
    try:
        yield server
    finally:
        with suppress(subprocess.CalledProcessError):
            server.stop("immediate")
        shutil.rmtree(root, ignore_errors=True)
