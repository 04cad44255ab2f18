"""Two servers of which only the addresses are known, as managed services are: no file, no driver.

`blue` is active at first. `green` is a server of its own with an empty database, prepared once and
closed, as docs/managed-servers.md says.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from shared.adapters.drivers.node_factory import make_nodes
from shared.adapters.dump.pg_dump import Server as Reached
from shared.adapters.rehearsal.rehearsal import ScratchRehearsalRoom
from shared.adapters.schema.definitions import DumpedDatabase
from shared.adapters.schema.schema_copy import Copies
from shared.domain.environment import Colour
from shared.domain.migration import Job
from shared.domain.objects import AGENT_ROLES
from shared.ports import Node
from shared.settings import (
    BackupSettings,
    DoorSettings,
    NodeSettings,
    PoolerSettings,
    RedisSettings,
    ServerSettings,
    Settings,
)
from tests.support.cluster import Server, bin_dir, postgres, unprivileged
from tests.support.managed import SECRET, prepare
from tests.support.pair import job_on

BLUE, GREEN = Colour.BLUE, Colour.GREEN
HBA = """
local all all trust
host all postgres 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
host replication all 127.0.0.1/32 scram-sha-256
"""
COPIES = {"server_version_num": {}, "system_identifier": "", "strategy": "copy"}
"""What preflight leaves with the job where green is copied."""


@dataclass
class RemotePair:
    version: int
    servers: dict[Colour, Server]
    settings: Settings

    @property
    def nodes(self) -> dict[Colour, Node]:
        return make_nodes(self.settings, AGENT_ROLES["replicator"])

    @property
    def databases(self) -> dict[Colour, DumpedDatabase]:
        return {colour: DumpedDatabase.of(self.settings, colour) for colour in Colour}

    def connect(self, colour: Colour, user: str = "postgres") -> psycopg.Connection:
        dsn = f"{self.servers[colour].dsn('app', user)} password={SECRET}"
        return psycopg.connect(dsn, autocommit=True)

    def run(self, colour: Colour, sql: str, user: str = "postgres") -> None:
        with self.connect(colour, user) as connection:
            connection.execute(sql)

    def rows(self, colour: Colour, sql: str) -> list[tuple[object, ...]]:
        with self.connect(colour) as connection:
            return connection.execute(sql).fetchall()

    def value(self, colour: Colour, sql: str) -> object:
        found = self.rows(colour, sql)
        return found[0][0] if found else None

    def rehearsed(self, sql: str, source: Colour = BLUE) -> Job:
        """A job for that file as it stands after preflight and `rehearse`, on the source."""
        role = AGENT_ROLES["replicator"]
        server = Reached("127.0.0.1", self.servers[source].port, "app", role, SECRET)
        found = ScratchRehearsalRoom(Copies(server, bin_dir(self.version))).rehearse(sql)
        known = {"mapping": dict(found.mapping), "run_as": found.run_as}
        return job_on(source, sql=sql, rehearse=known, preflight=dict(COPIES))


@contextmanager
def remote_pair(version: int, *, superuser: bool = True) -> Iterator[RemotePair]:
    """Both servers running and prepared; gone at the end."""
    place = Path(tempfile.mkdtemp(prefix="bluegreen-remote-"))
    try:
        quick = {"wal_retrieve_retry_interval": "200ms"}
        with (
            postgres(version, cluster_name="blue", **quick) as blue,
            postgres(version, cluster_name="green", **quick) as green,
        ):
            servers = {BLUE: blue, GREEN: green}
            for colour, server in servers.items():
                _demand_passwords(server)
                prepare(server.dsn(), superuser=superuser, rests=colour is GREEN)
            yield RemotePair(version, servers, _settings(place, servers))
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _demand_passwords(server: Server) -> None:
    path = server.data / "pg_hba.conf"
    path.write_text(HBA)
    drop = unprivileged()
    if drop:
        os.chown(path, drop["user"], drop["group"])  # type: ignore[arg-type]
    server.run("pg_ctl", "reload", "-D", str(server.data))


def _settings(place: Path, servers: dict[Colour, Server]) -> Settings:
    secrets = place / "secrets"
    secrets.mkdir()
    for role in (*AGENT_ROLES.values(), "bg_repl_blue", "bg_repl_green"):
        (secrets / role).write_text(SECRET)
    return Settings(
        state_dir=place,
        database="app",
        application_role="app",
        nodes={
            colour: NodeSettings(
                colour=colour, driver="remote", host="127.0.0.1", port=server.port,
                cluster_name=colour.value,
            )
            for colour, server in servers.items()
        },
        control=ServerSettings(host="127.0.0.1", port=1, database="none", user="none"),
        redis=RedisSettings(host="127.0.0.1", port=1),
        pooler=PoolerSettings(host="127.0.0.1", port=1, route_file=place / "none"),
        doors=DoorSettings(
            host="127.0.0.1", pooled_port=1, direct_port=1, direct_link=place / "none"
        ),
        secrets_dir=secrets,
        backup_dir=place / "backups",
        backup=BackupSettings(bin_dir=bin_dir(servers[BLUE].version)),
    )  # fmt: skip
