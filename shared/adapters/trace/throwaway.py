"""A PostgreSQL server of our own for a minute: private directory, no network, gone at the end.

It listens on a unix socket inside a directory that only its user may enter, so it needs no
password; it dies with the process that started it, and its directory is removed.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shared.adapters.dump.pg_dump import Server
from shared.adapters.embedded.accounts import Account, process_options, server_account
from shared.adapters.embedded.postgres_binaries import PostgresBinaries, find_postgres
from shared.adapters.postgres import PsycopgSession, connect
from shared.adapters.processes import die_with_parent
from shared.domain.errors import Broken, Refused, Transient

ADMINISTRATOR = "postgres"
PORT = 5432
"""Only part of the socket's name."""
START_LIMIT_S = 60.0
STOP_LIMIT_S = 20.0
STATEMENT_LIMIT_S = 120.0
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "allow_in_place_tablespaces": "on",
    "max_connections": "130",
    "max_locks_per_transaction": "1024",
    "shared_buffers": "32MB",
    "log_min_messages": "fatal",
    "timezone": "UTC",
}


@dataclass(frozen=True, slots=True)
class ThrowAway:
    """A running server; every session of it is one of a superuser."""

    binaries: PostgresBinaries
    socket_dir: Path

    @property
    def version(self) -> int:
        """Major version."""
        return self.binaries.version

    def server(self, database: str) -> Server:
        return Server(str(self.socket_dir), PORT, database, ADMINISTRATOR, "")

    @contextmanager
    def session(self, database: str) -> Iterator[PsycopgSession]:
        with connect(
            host=str(self.socket_dir),
            port=PORT,
            database=database,
            user=ADMINISTRATOR,
            password="",
            limit_s=STATEMENT_LIMIT_S,
            application_name="bluegreen/trace",
        ) as session:
            yield session


@contextmanager
def throw_away_server(
    version: int, *, timezone: str = "UTC", parent: Path | None = None
) -> Iterator[ThrowAway]:
    """Start one. Raises Refused when that version cannot be had here, Broken when it fails.

    `parent`: where its directory is made; None for where temporary files go.
    """
    binaries = find_postgres(version)
    owner = server_account()
    root = Path(tempfile.mkdtemp(prefix="bluegreen-trace-", dir=parent))
    try:
        if owner is not None:
            owner.own(root)
        _initdb(binaries, root, owner)
        settings = SETTINGS | {"timezone": timezone, "unix_socket_directories": str(root)}
        process = _start(binaries, root, owner, settings)
        try:
            found = ThrowAway(binaries, root)
            _until_ready(found, process, root)
            yield found
        finally:
            _stop(process)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _initdb(binaries: PostgresBinaries, root: Path, owner: Account | None) -> None:
    ended = subprocess.run(  # type: ignore[call-overload]
        [binaries.program("initdb"), "-D", str(root / "data"), "-U", ADMINISTRATOR,
         "-A", "trust", "-E", "UTF8", "--locale", "C", "--no-sync"],
        cwd=root, env=_environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False, timeout=START_LIMIT_S, **process_options(owner),
    )  # fmt: skip
    if ended.returncode != 0:
        last = (ended.stderr or ended.stdout).strip().splitlines()
        raise Broken(f"initdb failed: {last[-1] if last else 'it said nothing'}")


def _start(
    binaries: PostgresBinaries, root: Path, owner: Account | None, settings: dict[str, str]
) -> subprocess.Popen[bytes]:
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    us = os.getpid()
    with (root / "log").open("wb") as log:
        return subprocess.Popen(  # type: ignore[call-overload, no-any-return]
            [binaries.program("postgres"), "-D", str(root / "data"), "-p", str(PORT), *options],
            cwd=root, env=_environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
            preexec_fn=lambda: die_with_parent(signal.SIGQUIT, us), **process_options(owner),
        )  # fmt: skip


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C"}


def _until_ready(server: ThrowAway, process: subprocess.Popen[bytes], root: Path) -> None:
    end = time.monotonic() + START_LIMIT_S
    while True:
        try:
            with server.session("postgres") as session:
                session.value("SELECT 1")
            return
        except (Transient, Refused) as error:
            if process.poll() is not None or time.monotonic() > end:
                said = (root / "log").read_text(encoding="utf-8", errors="replace").strip()
                last = said.splitlines()[-1] if said else error.message
                raise Broken(f"expected a server in {START_LIMIT_S:g} s, found {last}") from error
            time.sleep(0.05)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGQUIT)
    try:
        process.wait(STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
