"""The locks of a statement that PostgreSQL does not run inside a transaction, seen from outside.

Its locks are gone when it ends, and on a small table it ends at once. So other sessions hold every
table when it begins: one with ACCESS EXCLUSIVE, three more queued behind it with weaker modes. Each
lets go only when the statement waits for it, the strongest first: whatever the statement asks for,
it has to wait for, and pg_locks shows it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

from shared.adapters.named_queries import named_queries
from shared.adapters.postgres import PsycopgSession
from shared.adapters.trace.throwaway import ThrowAway
from shared.domain.errors import Broken, MigrationError
from shared.sql.locks import Lock
from shared.sql.observation import MODES

QUERIES = named_queries(__file__, "observe.sql")
FIRST = Lock.ACCESS_EXCLUSIVE
QUEUED = (Lock.SHARE_UPDATE_EXCLUSIVE, Lock.ROW_EXCLUSIVE, Lock.ACCESS_SHARE)
"""They do not conflict with each other, and together with every mode that a statement can ask for:
to see what waits for other upkeep, for writers, and for readers."""
TABLES = 24
"""Most tables that are held at once; each takes four sessions."""
LOOK_S = 0.004
QUEUE_LIMIT_S = 10.0
LIMIT_S = 60.0


@dataclass(slots=True)
class _Holder:
    """A session that holds a table in one mode, or is queued for it."""

    session: PsycopgSession
    table: str
    mode: Lock
    thread: threading.Thread | None = None
    let_go: bool = False

    @property
    def pid(self) -> int:
        return self.session.connection.info.backend_pid

    @property
    def _sql(self) -> str:
        return f"LOCK TABLE ONLY {self.table} IN {self.mode.words} MODE"

    def hold(self) -> None:
        self.session.execute("BEGIN")
        self.session.execute(self._sql)

    def queue(self) -> None:
        """Ask for it in a thread: it is granted when the holder before lets go."""
        self.session.execute("BEGIN")
        self.thread = threading.Thread(target=self._ask, daemon=True)
        self.thread.start()

    def _ask(self) -> None:
        with suppress(MigrationError):
            self.session.execute(self._sql)

    def release(self, outside: PsycopgSession) -> None:
        if self.let_go:
            return
        self.let_go = True
        if self.thread is not None and self.thread.is_alive():
            outside.value("SELECT pg_catalog.pg_cancel_backend(%s)", [self.pid])
            self.thread.join()
        self.session.execute("ROLLBACK")


@dataclass(slots=True)
class Watched:
    locks: dict[int, Lock] = field(default_factory=dict)
    """Table's oid -> strongest mode that was held or waited for."""
    error: MigrationError | None = None


def watch(
    server: ThrowAway, database: str, session: PsycopgSession, sql: str, tables: Mapping[int, str]
) -> Watched:
    """Run `sql` in `session`, outside a transaction, and see what it locks of `tables`."""
    found = Watched()
    pid = session.connection.info.backend_pid

    def run() -> None:
        try:
            session.execute(sql)
        except MigrationError as error:
            found.error = error

    with server.session(database) as outside, _held(server, database, outside, tables) as holders:
        thread = threading.Thread(target=run, daemon=True)
        end = time.monotonic() + LIMIT_S
        thread.start()
        while thread.is_alive():
            waited_for = {row[0] for row in outside.rows(QUERIES["waits_for"], [pid])}
            _look(outside, pid, tables, found)
            blocking = [each for each in holders if each.pid in waited_for and not each.let_go]
            if blocking:
                max(blocking, key=lambda each: each.mode).release(outside)
            if time.monotonic() > end:
                outside.value("SELECT pg_catalog.pg_cancel_backend(%s)", [pid])
            thread.join(LOOK_S)
    return found


def _look(outside: PsycopgSession, pid: int, tables: Mapping[int, str], found: Watched) -> None:
    for oid, mode in outside.rows(QUERIES["locks"], [pid, list(tables)]):
        found.locks[oid] = max(MODES[mode], found.locks.get(oid, MODES[mode]))


@contextmanager
def _held(
    server: ThrowAway, database: str, outside: PsycopgSession, tables: Mapping[int, str]
) -> Iterator[list[_Holder]]:
    """Every table held, and every weaker mode queued behind."""
    with ExitStack() as stack:
        holders: list[_Holder] = []
        for table in list(tables.values())[:TABLES]:
            for mode in (FIRST, *QUEUED):
                holder = _Holder(stack.enter_context(server.session(database)), table, mode)
                holders.append(holder)
                if mode is FIRST:
                    holder.hold()
                else:
                    holder.queue()
        _until_queued(outside, [each.pid for each in holders if each.mode is not FIRST])
        try:
            yield holders
        finally:
            for holder in holders:
                holder.release(outside)


def _until_queued(outside: PsycopgSession, pids: list[int]) -> None:
    end = time.monotonic() + QUEUE_LIMIT_S
    while outside.value(QUERIES["queued"], [pids]) < len(pids):
        if time.monotonic() > end:
            raise Broken(f"expected {len(pids)} sessions to queue for locks in {QUEUE_LIMIT_S:g} s")
        time.sleep(LOOK_S)
