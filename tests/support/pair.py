"""An active server and its standing standby, as the embedded stack makes them, without agents."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from shared.adapters.embedded.roles import grant_rewind
from shared.adapters.postgres import PostgresNode, PsycopgSession
from shared.adapters.standing import standing
from shared.domain.environment import Colour
from shared.domain.errors import MigrationError
from shared.domain.objects import (
    AGENT_ROLES,
    POOLER_ROLE,
    REPLICATION_ROLES,
    STANDBY_SLOTS,
)
from tests.support.cluster import Server, free_port, postgres, unprivileged
from tests.support.node_driver import PgCtlDriver
from tests.support.sides import BLUE, GREEN, Sides, settings_of_sides
from tests.support.wait import until

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
class Pair(Sides):
    root: Path
    drivers: dict[Colour, PgCtlDriver]

    def node(self, colour: Colour) -> PostgresNode:
        role = AGENT_ROLES["replicator"]
        return PostgresNode(self.settings, colour, role, self.drivers[colour])

    @property
    def nodes(self) -> dict[Colour, PostgresNode]:
        return {colour: self.node(colour) for colour in Colour}

    def is_standby(self, colour: Colour) -> bool:
        """Whether it streams from the other one and has what that one has."""
        try:
            if not self.value(colour, "SELECT pg_is_in_recovery()"):
                return False
            return bool(self.value(colour.other, STREAMING))
        except psycopg.OperationalError:
            return False


STREAMING = "SELECT count(*) = 1 FROM pg_stat_replication WHERE state = 'streaming'"


@contextmanager
def pair(version: int) -> Iterator[Pair]:
    """Both servers running, `green` the standing standby of `blue`; gone at the end."""
    with postgres(version) as seed:  # borrows its directory, port and binaries for blue
        root = seed.root
        ports = {BLUE: seed.port, GREEN: free_port()}
        secrets = dict.fromkeys(AGENT_ROLES.values(), "unused: these servers trust loopback")
        settings = settings_of_sides(root, ports, driver="local", secrets=secrets)
        made = Pair(version, settings, root, {})
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
