"""Run pg_dump as a stream into a sealed file; its complaints become errors of ours.

Source: PostgreSQL manual, "pg_dump": it reads servers that are older than itself, never newer
ones, and with `row_security = off` it fails rather than leave rows out silently.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from shared.adapters.dump.sealed import Sealed, seal
from shared.adapters.refused_logins import refused_login
from shared.domain.environment import Colour
from shared.domain.errors import Broken, MigrationError, Refused, Transient
from shared.domain.objects import JOB, STANDING
from shared.settings import Settings

LOCK_LIMIT_S = 5
"""How long pg_dump queues for its share locks; longer, and it would queue the application."""
PIPE_BYTES = 1 << 20
"""Between the program and us; Linux gives 64 kB, at which both sides wait for each other."""
OUR_SCHEMAS = (f"--exclude-schema={STANDING}", f"--exclude-schema={JOB}")
NOT_THE_SERVERS = "--exclude-schema=pg_catalog"
"""Rights on what every server brings along: a copy has them of its own, or nobody may give them."""

NOT_CONNECTED = "connection to server"
_COMPLAINTS: tuple[tuple[str, type[MigrationError], str], ...] = (
    ("row-level security", Refused, "ALTER ROLE bg_backup BYPASSRLS"),
    ("permission denied for large object", Refused, "move large objects into bytea columns"),
    ("server version mismatch", Refused, "set `backup.bin_dir` to the newer programs"),
    ("permission denied", Refused, "GRANT pg_read_all_data TO bg_backup"),
    ("no matching", Refused, "the tables are gone: run the migration again"),
    ("statement timeout", Transient, ""),  # how pg_dump implements --lock-wait-timeout
    ("terminating connection", Transient, ""),
    ("server closed the connection", Transient, ""),
)


@dataclass(frozen=True, slots=True)
class Server:
    """How the PostgreSQL programs reach one database; the password never enters argv."""

    host: str
    port: int
    database: str
    user: str
    password: str


def program(name: str, settings: Settings, colour: Colour) -> Path:
    """pg_dump or psql: of the configured directory, else of the node, else of the PATH.

    Raises Refused when there is none.
    """
    for directory in (settings.backup.bin_dir, settings.nodes[colour].bin_dir):
        if directory is not None and (directory / name).exists():
            return directory / name
    found = shutil.which(name)
    if found is None:
        raise Refused(
            f"expected the program {name}, found it neither beside the server nor in the PATH",
            remedy="set `backup.bin_dir` to PostgreSQL's programs",
        )
    return Path(found)


def version(pg_dump: Path) -> tuple[str, int]:
    """`("18.4", 18)`: what the program says of itself, and its major version."""
    said = subprocess.run(
        [pg_dump, "--version"], capture_output=True, text=True, timeout=10, check=True
    )
    found = re.search(r"\d+(\.\d+)*\S*", said.stdout)
    if found is None:
        raise Broken(f"expected a version from {pg_dump}, found {said.stdout!r}")
    return found[0], int(found[0].split(".")[0])


def refuse_older(pg_dump: Path, server_version_num: int) -> str:
    """The program's version. Raises Refused when it is older than the server's."""
    text, major = version(pg_dump)
    if major < server_version_num // 10_000:
        raise Refused(
            f"pg_dump is {text} and the server {server_version_num // 10_000}: an older program "
            "cannot dump a newer server",
            remedy="set `backup.bin_dir` to programs of the server's version or later",
        )
    return text


def dump(
    pg_dump: Path,
    server: Server,
    options: Sequence[str],
    path: Path,
    *,
    recipients: Sequence[str],
    level: int,
    see: Sequence[Callable[[bytes], None]],
    limit_s: float,
) -> Sealed:
    """Run pg_dump and store what it writes in `path`, which appears only when all went well."""
    args = [*options, f"--lock-wait-timeout={LOCK_LIMIT_S}s", "--no-subscriptions", *OUR_SCHEMAS]
    with running(pg_dump, server, args, limit_s=limit_s) as process:
        return seal(
            process.output,
            path,
            recipients=recipients,
            level=level,
            see=see,
            finished=process.finish,
        )


@dataclass(frozen=True, slots=True)
class Running:
    """A PostgreSQL program under way."""

    program: Path
    process: subprocess.Popen[bytes]
    complaints: Path

    @property
    def output(self) -> IO[bytes]:
        assert self.process.stdout is not None
        return self.process.stdout

    @property
    def input(self) -> IO[bytes]:
        assert self.process.stdin is not None
        return self.process.stdin

    def finish(self) -> None:
        """Wait for its end. Raises what it complained about when it failed."""
        if self.process.wait() == 0:
            return
        text = self.complaints.read_text(encoding="utf-8", errors="replace")
        raise complaint(self.program.name, text, self.process.returncode)


def complaint(name: str, text: str, code: int) -> MigrationError:
    """The error for what a program wrote before it failed."""
    lines = [line for line in text.splitlines() if "error:" in line.lower()] or text.splitlines()
    said = "; ".join(line.split("error:", 1)[-1].strip() for line in lines[:2])
    if NOT_CONNECTED in text:
        return refused_login(f"{name}: {said}", text)
    for words, family, remedy in _COMPLAINTS:
        if words in text:
            return family(f"{name}: {said}", remedy=remedy)
    if code < 0:
        return Transient(f"{name} was ended by signal {-code} before it was done")
    return Broken(f"{name} ended with {code}: {said or 'no word of why'}")


@contextmanager
def running(
    path: Path, server: Server, options: Sequence[str], *, limit_s: float, feed: bool = False
) -> Iterator[Running]:
    """Start the program against `server`; it is ended when the block is left or `limit_s` over."""
    with tempfile.TemporaryDirectory(prefix="bluegreen-") as private:
        passfile, complaints = Path(private, "passfile"), Path(private, "complaints")
        _write_passfile(passfile, server)
        with complaints.open("wb") as stderr:
            process = subprocess.Popen(
                [path, f"--host={server.host}", f"--port={server.port}",
                 f"--username={server.user}", "--no-password", f"--dbname={server.database}",
                 *options],
                stdin=subprocess.PIPE if feed else subprocess.DEVNULL,
                stdout=subprocess.DEVNULL if feed else subprocess.PIPE,
                stderr=stderr, env=_environment(passfile), pipesize=PIPE_BYTES,
            )  # fmt: skip
        end = threading.Timer(limit_s, process.kill)
        end.daemon = True
        end.start()
        try:
            with process:
                try:
                    yield Running(path, process, complaints)
                finally:
                    if process.poll() is None:
                        process.kill()
                    if process.stdin is not None:
                        with suppress(BrokenPipeError):  # it has ended before its input did
                            process.stdin.close()
        finally:
            end.cancel()


def _write_passfile(path: Path, server: Server) -> None:
    fields = (server.host, str(server.port), "*", server.user, server.password)
    escaped = (field.replace("\\", "\\\\").replace(":", "\\:") for field in fields)
    with open(path, "w", encoding="utf-8", opener=lambda p, f: os.open(p, f, 0o600)) as file:
        file.write(":".join(escaped) + "\n")


def _environment(passfile: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {
        "LC_ALL": "C",
        "PGPASSFILE": str(passfile),
        "PGCONNECT_TIMEOUT": "5",
        "PGAPPNAME": "bluegreen/backup",
    }
