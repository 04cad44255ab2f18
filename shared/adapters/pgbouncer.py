"""PgBouncer behind the Pooler port: it holds clients without failing them, and is the pooled route.

Guarantee   a route that was set is on disk, loaded, and read back from the running pooler
Repeats     safe: a pool that is not paused is left as it is, a route is written again
Fails with  Transient  the pooler does not answer, or clients did not come to rest in time
            Broken     the pooler leads to neither server
Source      PgBouncer manual, "Admin console": PAUSE, RESUME, RELOAD, SHOW DATABASES; PAUSE has no
            owner, and a RESUME from another connection leaves its caller without an answer
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from shared.adapters.postgres import translate
from shared.domain.environment import Colour
from shared.domain.errors import Broken, Transient
from shared.domain.identifiers import ident
from shared.ports import Pooler
from shared.settings import NodeSettings, Settings

CONNECT_LIMIT_S = 2
ANSWER_LIMIT_S = 5.0


def route_text(database: str, node: NodeSettings) -> str:
    """The route file: the `[databases]` section with the one line that is the pooled route."""
    return (
        f"; the route of the pooled door: {node.colour}\n"
        "[databases]\n"
        f"{database} = host={node.host} port={node.port} dbname={database}\n"
    )


def write_durably(path: Path, text: str) -> None:
    """Replace the file so that a reader, or a crash, meets the old text or the new one whole."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        os.fchmod(descriptor, 0o644)  # the pooler runs as another user
        os.write(descriptor, text.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    draft.rename(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


@dataclass(frozen=True, slots=True)
class PgBouncer:
    """The pooler by its settings; every call opens a connection, `opened()` keeps two."""

    settings: Settings

    @contextmanager
    def opened(self) -> Iterator[Pooler]:
        """The same pooler over two admin connections that stand already, for use in a pause."""
        with console(self.settings) as pausing, console(self.settings) as commanding:
            yield OpenPgBouncer(self.settings, pausing, commanding)

    def pause(self, *, limit_s: float) -> None:
        with self.opened() as pooler:
            pooler.pause(limit_s=limit_s)

    def resume(self) -> None:
        with self.opened() as pooler:
            pooler.resume()

    def is_paused(self) -> bool:
        with self.opened() as pooler:
            return pooler.is_paused()

    def refuse(self) -> None:
        with self.opened() as pooler:
            pooler.refuse()

    def admit(self) -> None:
        with self.opened() as pooler:
            pooler.admit()

    def route_to(self, colour: Colour) -> None:
        with self.opened() as pooler:
            pooler.route_to(colour)

    def routed_to(self) -> Colour:
        with self.opened() as pooler:
            return pooler.routed_to()


@dataclass(frozen=True, slots=True)
class OpenPgBouncer:
    """The pooler over two open admin connections: one to wait in PAUSE, one for all else."""

    settings: Settings
    _pausing: psycopg.Connection
    _commanding: psycopg.Connection
    _name: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_name", self.settings.database)

    def opened(self) -> AbstractContextManager[Pooler]:
        return _same(self)

    def pause(self, *, limit_s: float) -> None:
        """A PAUSE that comes too late is ended by a RESUME from the other connection, and its own
        connection dropped: its answer would never come."""
        wire = self._pausing.pgconn
        deadline = time.monotonic() + limit_s
        wire.send_query(f"PAUSE {ident(self._name)}".encode())
        while wire.is_busy():
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([wire.socket], [], [], left)[0]:
                self.resume()
                self._pausing.close()
                raise Transient(
                    f"expected open transactions to end within {limit_s * 1000:.0f} ms of PAUSE, "
                    "found some that did not; clients go on as before"
                )
            wire.consume_input()
        result = wire.get_result()
        said = "" if result is None else result.error_message.decode(errors="replace").strip()
        while wire.get_result() is not None:
            pass
        if said:
            raise Transient(f"expected the pooler to pause, found: {said}")

    def resume(self) -> None:
        try:
            self._command(f"RESUME {ident(self._name)}")
        except Transient:
            if self.is_paused():
                raise

    def is_paused(self) -> bool:
        return self._line()["paused"] in (1, "1")

    def refuse(self) -> None:
        """New clients are told that the database is disabled, those who wait that it is gone."""
        for command in ("DISABLE", "KILL"):
            self._command(f"{command} {ident(self._name)}")

    def admit(self) -> None:
        self._command(f"ENABLE {ident(self._name)}")
        self.resume()

    def route_to(self, colour: Colour) -> None:
        """A route that is set already costs one look: what settles a cutover asks for it again."""
        path = self.settings.pooler.route_file
        text = route_text(self._name, self.settings.nodes[colour])
        if path.exists() and path.read_text(encoding="utf-8") == text and self._leads_to(colour):
            return
        write_durably(path, text)
        self._command("RELOAD")
        found = self.routed_to()
        if found is not colour:
            raise Broken(f"expected the pooler to lead to {colour} after RELOAD, found {found}")

    def routed_to(self) -> Colour:
        line = self._line()
        for colour, node in self.settings.nodes.items():
            if (line["host"], int(str(line["port"]))) == (node.host, node.port):
                return colour
        raise Broken(
            f"expected the pooler to lead to blue or green, found {line['host']}:{line['port']}"
        )

    def _leads_to(self, colour: Colour) -> bool:
        with suppress(Broken):
            return self.routed_to() is colour
        return False

    def _line(self) -> dict[str, object]:
        """What SHOW DATABASES says of our database."""
        cursor = self._command("SHOW DATABASES")
        names = [column.name for column in cursor.description or ()]
        for row in cursor.fetchall():
            line = dict(zip(names, row, strict=True))
            if line["name"] == self._name:
                return line
        raise Broken(f"expected the pooler to know database {self._name}, found no such line")

    def _command(self, text: str) -> psycopg.Cursor:
        try:
            return self._commanding.execute(text.encode())
        except psycopg.Error as error:
            raise Transient(f"{text}: {translate(error).message}") from error


@contextmanager
def console(settings: Settings) -> Iterator[psycopg.Connection]:
    """One connection to the admin console, closed at the end."""
    pooler = settings.pooler
    try:
        connection = psycopg.connect(
            host=pooler.host,
            port=pooler.port,
            dbname="pgbouncer",
            user=pooler.admin_user,
            password=settings.secret(pooler.admin_user),
            connect_timeout=CONNECT_LIMIT_S,
            autocommit=True,
        )
    except psycopg.Error as error:
        raise Transient(f"the pooler's admin console: {translate(error).message}") from error
    try:
        yield connection
    finally:
        with suppress(psycopg.Error):
            connection.close()


@contextmanager
def _same(pooler: OpenPgBouncer) -> Iterator[Pooler]:
    yield pooler
