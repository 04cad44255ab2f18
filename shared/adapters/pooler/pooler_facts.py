"""What PgBouncer's admin console says of its version, settings, clients and server connections."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import ExitStack

import psycopg
from psycopg.rows import dict_row

from shared.adapters.pooler.pooler_console import console
from shared.adapters.postgres import translate
from shared.domain.errors import Broken, MigrationError, Transient
from shared.domain.pooler import PoolerFacts
from shared.settings import Settings


def read_pooler(settings: Settings) -> PoolerFacts:
    """Of all poolers that clients use, as one: the oldest, the least patient, every socket.

    Raises Transient when a console does not answer, Broken when it does not know the database.
    """
    found = []
    for address in (settings.pooler, *settings.further_poolers):
        try:
            with console(settings, address) as connection:
                found.append(_read(connection, settings.database))
        except psycopg.Error as error:
            raise Transient(f"the pooler's admin console: {translate(error).message}") from error
    return together(found)


def together(found: Sequence[PoolerFacts]) -> PoolerFacts:
    limits = [facts.query_wait_timeout_s for facts in found if facts.query_wait_timeout_s > 0]
    modes = [facts.pool_mode for facts in found if facts.pool_mode != "transaction"]
    return PoolerFacts(
        version=min(facts.version for facts in found),
        pool_mode=modes[0] if modes else "transaction",
        query_wait_timeout_s=min(limits, default=0.0),
        sockets=frozenset().union(*(facts.sockets for facts in found)),
        clients=sum(facts.clients for facts in found),
        max_clients=sum(facts.max_clients for facts in found),
        waiting=sum(facts.waiting for facts in found),
        longest_wait_s=max(facts.longest_wait_s for facts in found),
        transactions=sum(facts.transactions for facts in found),
        transactions_us=sum(facts.transactions_us for facts in found),
        waited_us=sum(facts.waited_us for facts in found),
    )


class PoolerWatch:
    """`read_pooler` again and again over connections that stand, opened anew after a failure."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = ExitStack()
        self._connections: list[psycopg.Connection] = []

    def __call__(self) -> PoolerFacts:
        settings = self._settings
        try:
            if not self._connections:
                self._connections = [
                    self._stack.enter_context(console(settings, address))
                    for address in (settings.pooler, *settings.further_poolers)
                ]
            return together([_read(each, settings.database) for each in self._connections])
        except psycopg.Error as error:
            self.close()
            raise Transient(f"the pooler's admin console: {translate(error).message}") from error
        except MigrationError:
            self.close()
            raise

    def close(self) -> None:
        self._connections = []
        stack, self._stack = self._stack, ExitStack()
        stack.close()


def _read(connection: psycopg.Connection, database: str) -> PoolerFacts:
    config = {row["key"]: row["value"] for row in _rows(connection, b"SHOW CONFIG")}
    line = next((r for r in _rows(connection, b"SHOW DATABASES") if r["name"] == database), None)
    if line is None:
        raise Broken(f"expected the pooler to know database {database}, found no such line")
    pools = [r for r in _rows(connection, b"SHOW POOLS") if r["database"] == database]
    totals = next(
        (r for r in _rows(connection, b"SHOW STATS_TOTALS") if r["database"] == database), {}
    )
    return PoolerFacts(
        version=_version(_rows(connection, b"SHOW VERSION")[0]["version"]),
        pool_mode=line["pool_mode"] or config["pool_mode"],
        query_wait_timeout_s=float(config["query_wait_timeout"]),
        sockets=frozenset(
            (row["local_addr"], int(row["local_port"]))
            for row in _rows(connection, b"SHOW SERVERS")
        ),
        clients=sum(int(pool["cl_active"]) + int(pool["cl_waiting"]) for pool in pools),
        max_clients=int(config["max_client_conn"]),
        waiting=sum(int(pool["cl_waiting"]) for pool in pools),
        longest_wait_s=max(
            (int(pool["maxwait"]) + int(pool["maxwait_us"]) / 1e6 for pool in pools), default=0.0
        ),
        transactions=int(totals.get("xact_count", 0)),
        transactions_us=int(totals.get("xact_time", 0)),
        waited_us=int(totals.get("wait_time", 0)),
    )


def _rows(connection: psycopg.Connection, command: bytes) -> list[dict[str, str]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(command).fetchall()


def _version(text: str) -> tuple[int, int]:
    found = re.search(r"(\d+)\.(\d+)", text)
    if found is None:
        raise Broken(f"expected PgBouncer's version, found {text!r}")
    return int(found[1]), int(found[2])
