"""PgBouncer behind the Pooler port: it holds clients without failing them, and is the pooled route.

Guarantee   a route that was set is on disk, loaded, and read back from the running pooler
Repeats     safe: a pool that is not paused is left as it is, a route is written again
Fails with  Transient  the pooler does not answer, or clients did not come to rest in time
            Refused    the route cannot be written
            Broken     the pooler leads to neither server
Source      PgBouncer manual, "Admin console": PAUSE, RESUME, RELOAD, SHOW DATABASES; PAUSE has no
            owner, and a RESUME from another connection leaves its caller without an answer
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass

import psycopg

from shared.adapters.pooler.pooler_console import answer, console
from shared.adapters.pooler.route_file import RouteFile
from shared.domain.environment import Colour
from shared.domain.errors import Broken, Transient
from shared.domain.identifiers import ident
from shared.ports import Pooler, PoolTraffic
from shared.settings import PoolerSettings, Settings

ANSWER_LIMIT_S = 1.0
POOL_SIZE = "default_pool_size"


@dataclass(frozen=True, slots=True)
class PgBouncer:
    """The pooler by its settings; every call opens a connection, `opened()` keeps two."""

    settings: Settings
    address: PoolerSettings | None = None
    """None: the one that `settings.pooler` names."""

    @contextmanager
    def opened(self) -> Iterator[OpenPgBouncer]:
        """The same pooler over two admin connections that stand already, for use in a pause."""
        address = self.address or self.settings.pooler
        with (
            console(self.settings, address) as pausing,
            console(self.settings, address) as commanding,
        ):
            yield OpenPgBouncer(self.settings, address, pausing, commanding)

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

    def prepare_route(self, colour: Colour) -> None:
        self._file().prepare(colour)

    def connections(self) -> int:
        with self.opened() as pooler:
            return pooler.connections()

    def width(self) -> int:
        with self.opened() as pooler:
            return pooler.width()

    def narrow(self, at_once: int) -> None:
        with self.opened() as pooler:
            pooler.narrow(at_once)

    def widen(self) -> None:
        with self.opened() as pooler:
            pooler.widen()

    def traffic(self) -> PoolTraffic:
        with self.opened() as pooler:
            return pooler.traffic()

    def route_to(self, colour: Colour, *, flush: bool = True) -> None:
        with self.opened() as pooler:
            pooler.route_to(colour, flush=flush)

    def flush_route(self) -> None:
        self._file().flush()

    def routed_to(self) -> Colour:
        with self.opened() as pooler:
            return pooler.routed_to()

    def _file(self) -> RouteFile:
        return RouteFile(self.settings, (self.address or self.settings.pooler).route_file)


@dataclass(frozen=True, slots=True)
class OpenPgBouncer:
    """The pooler over two open admin connections: one to wait in PAUSE, one for all else."""

    settings: Settings
    address: PoolerSettings
    _pausing: psycopg.Connection
    _commanding: psycopg.Connection

    @property
    def _name(self) -> str:
        return self.settings.database

    @property
    def _file(self) -> RouteFile:
        return RouteFile(self.settings, self.address.route_file)

    def opened(self) -> AbstractContextManager[Pooler]:
        return _same(self)

    def pause(self, *, limit_s: float) -> None:
        """A PAUSE that comes too late is ended by a RESUME from the other connection, and its own
        connection dropped: its answer would never come."""
        try:
            answer(self._pausing, f"PAUSE {ident(self._name)}", limit_s)
        except TimeoutError as error:
            self.resume()
            self._pausing.close()
            raise Transient(
                f"expected open transactions to end within {limit_s * 1000:.0f} ms of PAUSE, "
                "found some that did not; clients go on as before"
            ) from error

    def resume(self) -> None:
        try:
            self._command(f"RESUME {ident(self._name)}")
        except Transient:
            if self.is_paused():
                raise

    def is_paused(self) -> bool:
        return self._line()["paused"] == "1"

    def refuse(self) -> None:
        """New clients are told that the database is disabled, those who wait that it is gone."""
        for command in ("DISABLE", "KILL"):
            self._command(f"{command} {ident(self._name)}")

    def admit(self) -> None:
        self._command(f"ENABLE {ident(self._name)}")
        self.resume()

    def prepare_route(self, colour: Colour) -> None:
        self._file.prepare(colour)

    def connections(self) -> int:
        return int(self._line()["current_connections"])

    def width(self) -> int:
        line = self._line_of("SHOW CONFIG", "key", POOL_SIZE)
        if line is None:
            raise Broken(f"expected the pooler to have a {POOL_SIZE}, found no such setting")
        return int(line["value"])

    def narrow(self, at_once: int) -> None:
        """By a setting that RELOAD brings back to what the configuration says."""
        self._command(f"SET {POOL_SIZE} = {at_once}")

    def widen(self) -> None:
        self._command("RELOAD")

    def traffic(self) -> PoolTraffic:
        """Nothing before the first client: the pooler has no line of the database then."""
        line = self._line_of("SHOW STATS", "database")
        if line is None:
            return PoolTraffic(0, 0.0)
        spent = sum(int(line[name]) for name in ("total_xact_time", "total_wait_time"))
        return PoolTraffic(int(line["total_xact_count"]), spent / 1e6)

    def route_to(self, colour: Colour, *, flush: bool = True) -> None:
        """A route that is set already costs one look: what settles a cutover asks for it again. A
        file that is in place already is loaded, not written: clients wait."""
        if not self._file.holds(colour):
            self._file.put_in_place(colour)
            self._load(colour)
        elif not self._leads_to(colour):
            self._load(colour)
        if flush:
            self.flush_route()

    def flush_route(self) -> None:
        self._file.flush()
        self._file.discard_drafts()

    def _load(self, colour: Colour) -> None:
        self._command("RELOAD")
        found = self.routed_to()
        if found is not colour:
            raise Broken(f"expected the pooler to lead to {colour} after RELOAD, found {found}")

    def routed_to(self) -> Colour:
        line = self._line()
        for colour, node in self.settings.nodes.items():
            if (line["host"], int(line["port"])) == (node.host, node.port):
                return colour
        raise Broken(
            f"expected the pooler to lead to blue or green, found {line['host']}:{line['port']}"
        )

    def _leads_to(self, colour: Colour) -> bool:
        with suppress(Broken):
            return self.routed_to() is colour
        return False

    def _line(self) -> dict[str, str]:
        """What SHOW DATABASES says of our database."""
        line = self._line_of("SHOW DATABASES", "name")
        if line is None:
            raise Broken(f"expected the pooler to know database {self._name}, found no such line")
        return line

    def _line_of(self, command: str, key: str, name: str | None = None) -> dict[str, str] | None:
        """The line of our database, or of what `name` says."""
        for line in self._command(command):
            if line[key] == (name or self._name):
                return line
        return None

    def _command(self, text: str) -> list[dict[str, str]]:
        """A pooler that is frozen keeps its connections and says nothing: it is left then."""
        try:
            return answer(self._commanding, text, ANSWER_LIMIT_S)
        except TimeoutError as error:
            self._commanding.close()
            raise Transient(
                f"{text}: expected an answer within {ANSWER_LIMIT_S:.0f} s, found none"
            ) from error


@contextmanager
def _same(pooler: OpenPgBouncer) -> Iterator[Pooler]:
    yield pooler
