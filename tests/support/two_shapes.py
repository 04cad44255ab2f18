"""Two servers with one application database, kept in sync across a mapping by plain replication.

Both are loaded alike instead of forked: what is proved here is the mapping, not the fork.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from shared.adapters.postgres import PsycopgSession
from shared.adapters.rehearsal.rehearsal import ScratchRehearsalRoom
from shared.adapters.schema.schema_copy import definitions
from shared.adapters.standing.standing import install
from shared.domain.objects import FORWARD, JOB, REVERSE
from shared.mapping.landing import landing
from shared.mapping.model import Mapping
from shared.mapping.prepare import finish_green, prepare_green, prepare_source
from shared.mapping.publication import forward_publication, reverse_publication
from shared.mapping.rederive import rederive
from tests.support.cluster import Server
from tests.support.migrated_server import copies, migrated_server, room
from tests.support.wait import until

FREEZE = [Path(f"workers/replicator/freeze{part}.sql") for part in ("", "_triggers")]
CATCH_UP_LIMIT_S = 30.0


@dataclass
class TwoShapes:
    source: Server
    target: Server
    schema: str
    rows: str
    file: str
    mapping: Mapping
    barriers: int = 0
    errors: list[str] = field(default_factory=list)

    def room(self) -> ScratchRehearsalRoom:
        return room(self.source)

    def run(self, server: Server, *statements: str, user: str = "bg_replicator") -> None:
        """In one transaction."""
        with server.connect("app", user) as connection, connection.transaction():
            for statement in statements:
                connection.execute(statement)

    def rows_of(self, server: Server, query: str, database: str = "app") -> list[tuple]:
        with server.connect(database) as connection:
            return connection.execute(query).fetchall()

    def subscribe(self, name: str, publisher: Server, subscriber: Server) -> None:
        with subscriber.connect("app", "bg_replicator") as connection:
            connection.execute(
                f"CREATE SUBSCRIPTION {name} CONNECTION '{publisher.dsn('app', 'bg_replicator')}'"
                f" PUBLICATION {name} WITH (slot_name = {name}, create_slot = false,"
                " copy_data = false, disable_on_error = true)"
            )

    def slot(self, name: str, server: Server) -> None:
        self.run(server, f"SELECT pg_create_logical_replication_slot('{name}', 'pgoutput')")

    def unsubscribe(self, name: str, publisher: Server, subscriber: Server) -> None:
        with subscriber.connect("app", "bg_replicator") as connection:
            connection.execute(f"DROP SUBSCRIPTION {name}")  # drops its slot too
        self.run(publisher, f"DROP PUBLICATION {name}")

    def fork(self) -> None:
        """The source publishes from now on; the target has what it has and runs the file."""
        self.run(self.source, *forward_publication(self.mapping))
        self.slot(FORWARD, self.source)

    def apply(self) -> None:
        for server in (self.target,):
            self.run(
                server,
                *landing(self.mapping),
                "SET ROLE app",
                self.file,
                "RESET ROLE",
                *prepare_green(self.mapping),
            )
        self.run(self.source, *prepare_source(self.mapping))
        self.subscribe(FORWARD, self.source, self.target)

    def caught_up(self, publisher: Server, subscriber: Server) -> None:
        """Everything committed on `publisher` so far is on `subscriber`."""
        self.barriers += 1
        token = f"barrier {self.barriers}"
        self.run(publisher, f"INSERT INTO {JOB}.marker (token) VALUES ('{token}')")
        query = f"SELECT 1 FROM {JOB}.marker WHERE token = '{token}'"
        try:
            until(lambda: self.rows_of(subscriber, query), limit_s=CATCH_UP_LIMIT_S, what=token)
        except AssertionError:
            log = (subscriber.root / "log").read_text().splitlines()
            raise AssertionError("\n".join(log[-25:])) from None

    def switch(self) -> None:
        """Names to final on both sides, and replication the other way. Nobody writes."""
        self.caught_up(self.source, self.target)
        self.unsubscribe(FORWARD, self.source, self.target)
        self.run(self.target, *reverse_publication(self.mapping, "sync"))
        for server in (self.target, self.source):
            with server.connect("app", "bg_proxy") as connection:
                connection.execute(f"SELECT {JOB}.to_final()")
        self.copy_sequences(self.source, self.target)
        self.slot(REVERSE, self.target)
        self.subscribe(REVERSE, self.target, self.source)

    def back(self) -> None:
        """Names to sync on both sides, and replication forward again. Nobody writes."""
        self.caught_up(self.target, self.source)
        self.unsubscribe(REVERSE, self.target, self.source)
        for server in (self.target, self.source):
            with server.connect("app", "bg_proxy") as connection:
                connection.execute(f"SELECT {JOB}.to_sync()")
        self.copy_sequences(self.target, self.source)
        self.run(self.source, *forward_publication(self.mapping))
        self.slot(FORWARD, self.source)
        self.subscribe(FORWARD, self.source, self.target)

    def rederive(self) -> None:
        for transaction in rederive(self.mapping):
            self.run(self.target, *transaction)

    def copy_sequences(self, taken: Server, given: Server) -> None:
        """By name: both sides wear the same ones. What is only on one side stays as it is."""
        query = (
            "SELECT format('%I.%I', schemaname, sequencename), coalesce(last_value, start_value)"
            " FROM pg_sequences WHERE schemaname NOT LIKE 'bluegreen%'"
        )
        for name, value in self.rows_of(taken, query):
            self.run(given, f"SELECT setval(to_regclass('{name}'), {value + 1000})")

    def finish(self) -> None:
        """The target stays: everything of ours is taken off it. In state final."""
        self.unsubscribe(REVERSE, self.target, self.source)
        for statement in finish_green(self.mapping):
            self.run(self.target, statement)

    def reference(self, before: str = "", after: str = "") -> None:
        """On the target's server: a database `reference` with the source's rows and the file run,
        between `before` and `after`. Rows are taken from the source in state sync.
        """
        with self.target.connect() as admin:
            admin.execute("DROP DATABASE IF EXISTS reference")
            admin.execute("CREATE DATABASE reference OWNER app")
        with self.target.connect("reference", "app") as connection:
            connection.execute(self.schema)
        tables = [table.sync.sql for table in self.mapping.tables]
        tables += [name.sql for name in self.mapping.dropped]
        with (
            self.source.connect("app") as taken,
            self.target.connect("reference") as given,
        ):
            given.execute("SET session_replication_role = replica")
            for table in tables:
                columns = ", ".join(
                    f'"{row[0]}"'
                    for row in given.execute(
                        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass"
                        " AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
                        [table],
                    )
                )
                with (
                    taken.cursor().copy(f"COPY (SELECT {columns} FROM {table}) TO STDOUT") as out,
                    given.cursor().copy(f"COPY {table} ({columns}) FROM STDIN") as into,
                ):
                    for block in out:
                        into.write(block)
        with self.target.connect("reference", "app") as connection, connection.transaction():
            for sql in (before, self.file, after):
                connection.execute(sql or "SELECT")

    def shape(self, server: Server, database: str) -> list[str]:
        return definitions(copies(server).dump(database))

    @contextmanager
    def writing(self, *writers: Callable[[psycopg.Connection, int], None]) -> Iterator[list[int]]:
        """Each writer runs again and again on the source while the body runs; how often."""
        stop = threading.Event()
        counts = [0] * len(writers)

        def work(number: int, writer: Callable[[psycopg.Connection, int], None]) -> None:
            try:
                with self.source.connect("app", "app") as connection:
                    while not stop.is_set():
                        writer(connection, counts[number])
                        counts[number] += 1
                        time.sleep(0.001)
            except psycopg.Error as error:
                self.errors.append(str(error))

        threads = [
            threading.Thread(target=work, args=pair, daemon=True) for pair in enumerate(writers)
        ]
        for thread in threads:
            thread.start()
        try:
            yield counts
        finally:
            stop.set()
            for thread in threads:
                thread.join(10)
        assert self.errors == []


@contextmanager
def two_shapes(
    version: int, schema: str, rows: str, file: str, **settings: str
) -> Iterator[TwoShapes]:
    with (
        migrated_server(version, schema, **settings) as source,
        migrated_server(version, schema, **settings) as target,
    ):
        mapping = Mapping.model_validate(room(source).rehearse(file).mapping)
        made = TwoShapes(source, target, schema, rows, file, mapping)
        for server in (source, target):
            with server.connect("app", "app") as connection:
                connection.execute(rows)
            with server.connect("app") as administrator:
                install(
                    PsycopgSession(administrator), application_role="app", administrator="postgres"
                )
            made.run(server, "SET ROLE bg_owner", *(part.read_text() for part in FREEZE))
        yield made
