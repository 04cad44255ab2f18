"""An active server and its standing standby, as the embedded stack makes them, without agents."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from shared.adapters.dump.pg_dump import Server as Reached
from shared.adapters.embedded.roles import grant_rewind
from shared.adapters.postgres import PostgresNode, PsycopgSession
from shared.adapters.rehearsal.rehearsal import ScratchRehearsalRoom
from shared.adapters.schema.schema_copy import Copies
from shared.adapters.standing import standing
from shared.domain.environment import Colour
from shared.domain.errors import MigrationError
from shared.domain.migration import Job, Kind, RunOptions
from shared.domain.objects import (
    AGENT_ROLES,
    POOLER_ROLE,
    REPLICATION_ROLES,
    STANDBY_SLOTS,
)
from shared.settings import (
    DoorSettings,
    NodeSettings,
    PoolerSettings,
    RedisSettings,
    ServerSettings,
    Settings,
)
from tests.support.cluster import Server, bin_dir, free_port, postgres, unprivileged
from tests.support.node_driver import PgCtlDriver
from tests.support.wait import until

BLUE, GREEN = Colour.BLUE, Colour.GREEN
CONFIGURATION = """
listen_addresses = '127.0.0.1'
port = {port}
cluster_name = '{colour}'
unix_socket_directories = '{root}'
hba_file = '{conf}/pg_hba.conf'
ident_file = '{conf}/pg_ident.conf'
wal_level = logical
wal_log_hints = on
fsync = off
jit = off
checkpoint_completion_target = 0.01
max_wal_senders = 20
max_replication_slots = 20
max_prepared_transactions = 5
wal_retrieve_retry_interval = 200ms
logging_collector = on
log_destination = 'stderr,jsonlog'
log_directory = '{root}/logs'
include_if_exists = '{conf}/recovery.conf'
"""


@dataclass
class Pair:
    """`blue` is active at first. `node(colour)` is what a step of the replicator gets."""

    version: int
    root: Path
    settings: Settings
    drivers: dict[Colour, PgCtlDriver]

    def node(self, colour: Colour) -> PostgresNode:
        role = AGENT_ROLES["replicator"]
        return PostgresNode(self.settings, colour, role, self.drivers[colour])

    @property
    def nodes(self) -> dict[Colour, PostgresNode]:
        return {colour: self.node(colour) for colour in Colour}

    def connect(
        self, colour: Colour, user: str = "postgres", database: str = "app"
    ) -> psycopg.Connection:
        port = self.settings.nodes[colour].port
        return psycopg.connect(
            f"host=127.0.0.1 port={port} user={user} dbname={database}", autocommit=True
        )

    def rows(self, colour: Colour, sql: str) -> list[tuple[object, ...]]:
        with self.connect(colour) as connection:
            return connection.execute(sql).fetchall()

    def value(self, colour: Colour, sql: str) -> object:
        found = self.rows(colour, sql)
        return found[0][0] if found else None

    def run(self, colour: Colour, sql: str, user: str = "postgres") -> None:
        with self.connect(colour, user) as connection:
            connection.execute(sql)

    def rehearsed(self, sql: str, source: Colour = BLUE) -> Job:
        """A job for that file as it stands after `rehearse`, the real one, on the source."""
        server = Reached("127.0.0.1", self.settings.nodes[source].port, "app", "bg_replicator", "")
        found = ScratchRehearsalRoom(Copies(server, bin_dir(self.version))).rehearse(sql)
        facts = {"mapping": dict(found.mapping), "run_as": found.run_as}
        return job_on(source, sql=sql, rehearse=facts)

    def is_standby(self, colour: Colour) -> bool:
        """Whether it streams from the other one and has what that one has."""
        try:
            if not self.value(colour, "SELECT pg_is_in_recovery()"):
                return False
            return bool(self.value(colour.other, STREAMING))
        except psycopg.OperationalError:
            return False


def job_on(
    source: Colour, *, sql: str = "", kind: Kind = Kind.RISKY, **facts: dict[str, object]
) -> Job:
    """A job as the coordinator would hand it to a step: `rehearse={...}` are facts of that step."""
    return Job(
        id="20261123-7f3a", database="app", kind=kind, file_name="0001.sql", sql=sql,
        options=RunOptions(), source=source, epoch=1, attempt=1, facts=facts,
    )  # fmt: skip


STREAMING = "SELECT count(*) = 1 FROM pg_stat_replication WHERE state = 'streaming'"


@contextmanager
def pair(version: int) -> Iterator[Pair]:
    """Both servers running, `green` the standing standby of `blue`; gone at the end."""
    with postgres(version) as seed:  # borrows its directory, port and binaries for blue
        root = seed.root
        made = Pair(version, root, _settings(root, seed.port, free_port()), {})
        seed.stop()
        for colour in Colour:
            made.drivers[colour] = _driver(made, colour)
        try:
            seed.data.rename(made.drivers[BLUE].data)
            made.drivers[BLUE].start(limit_s=20)
            _install(made)
            _add_standby(made, seed)
            yield made
        finally:
            for driver in made.drivers.values():
                with suppress(MigrationError):
                    driver.stop(mode="immediate", limit_s=10)


def _settings(root: Path, blue_port: int, green_port: int) -> Settings:
    secrets = root / "secrets"
    secrets.mkdir(mode=0o755)
    for role in AGENT_ROLES.values():
        (secrets / role).write_text("unused: these servers trust loopback")
    ports = {BLUE: blue_port, GREEN: green_port}
    return Settings(
        state_dir=root,
        database="app",
        application_role="app",
        nodes={
            colour: NodeSettings(
                colour=colour, driver="local", host="127.0.0.1", port=port,
                cluster_name=colour.value,
            )
            for colour, port in ports.items()
        },
        control=ServerSettings(host="127.0.0.1", port=1, database="none", user="none"),
        redis=RedisSettings(host="127.0.0.1", port=1),
        pooler=PoolerSettings(host="127.0.0.1", port=1, route_file=root / "none"),
        doors=DoorSettings(
            host="127.0.0.1", pooled_port=1, direct_port=1, direct_link=root / "none"
        ),
        secrets_dir=secrets,
        backup_dir=root / "backups",
    )  # fmt: skip


def _driver(made: Pair, colour: Colour) -> PgCtlDriver:
    root = made.root / colour.value
    conf = root / "conf"
    conf.mkdir(parents=True)
    port = made.settings.nodes[colour].port
    (conf / "postgresql.conf").write_text(
        CONFIGURATION.format(port=port, colour=colour.value, root=root, conf=conf)
    )
    (conf / "pg_ident.conf").write_text("")
    driver = PgCtlDriver(root, made.version, port)
    driver.set_access("open")
    driver.clear_recovery()
    drop = unprivileged()
    if drop:
        for path in (root, *root.rglob("*")):
            os.chown(path, drop["user"], drop["group"])  # type: ignore[arg-type]
    return driver


def _install(made: Pair) -> None:
    ours = (*AGENT_ROLES.values(), *REPLICATION_ROLES.values(), POOLER_ROLE)
    with made.connect(BLUE, database="postgres") as admin:
        for role in ours:
            power = "SUPERUSER" if role == AGENT_ROLES["replicator"] else "REPLICATION"
            admin.execute(f"CREATE ROLE {role} LOGIN {power}")
        admin.execute("CREATE ROLE app LOGIN")
        admin.execute("CREATE DATABASE app OWNER app")
        slot = STANDBY_SLOTS["green"]
        admin.execute("SELECT pg_create_physical_replication_slot(%s, true)", [slot])
        grant_rewind(PsycopgSession(admin))
    with made.connect(BLUE) as admin:
        session = PsycopgSession(admin)
        standing.install(session, application_role="app", administrator="postgres")


def _add_standby(made: Pair, seed: Server) -> None:
    blue, green = made.node(BLUE), made.drivers[GREEN]
    seed.run(
        "pg_basebackup", "--pgdata", str(green.data), "--checkpoint=fast",
        "--dbname", blue.replication_conninfo(database=None),
    )  # fmt: skip
    recovery = {
        "primary_conninfo": blue.replication_conninfo(database=None),
        "primary_slot_name": STANDBY_SLOTS["green"],
    }
    green.set_recovery(recovery, standby=True)
    green.start(limit_s=20)
    until(lambda: made.is_standby(GREEN), limit_s=20, what="green streams from blue")
