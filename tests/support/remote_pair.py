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
from typing import Any, ClassVar

from shared.adapters.drivers.node_factory import make_nodes
from shared.adapters.schema.definitions import DumpedDatabase
from shared.domain.environment import Colour
from shared.domain.objects import AGENT_ROLES
from shared.ports import Node
from shared.settings import (
    BackupSettings,
)
from tests.support.cluster import Server, bin_dir, postgres, unprivileged
from tests.support.managed import SECRET, prepare
from tests.support.sides import BLUE, GREEN, Sides, settings_of_sides

OURS = (*AGENT_ROLES.values(), "bg_repl_blue", "bg_repl_green")
HBA = """
local all all trust
host all postgres 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
host replication all 127.0.0.1/32 scram-sha-256
"""
COPIES = {"server_version_num": {}, "system_identifier": "", "strategy": "copy"}
"""What preflight leaves with the job where green is copied."""


@dataclass
class RemotePair(Sides):
    servers: dict[Colour, Server]
    password: ClassVar[str] = SECRET
    preflight: ClassVar[dict[str, Any]] = COPIES

    @property
    def nodes(self) -> dict[Colour, Node]:
        return make_nodes(self.settings, AGENT_ROLES["replicator"])

    @property
    def databases(self) -> dict[Colour, DumpedDatabase]:
        return {colour: DumpedDatabase.of(self.settings, colour) for colour in Colour}


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
            settings = settings_of_sides(
                place, {colour: server.port for colour, server in servers.items()},
                driver="remote", secrets=dict.fromkeys(OURS, SECRET),
                backup=BackupSettings(bin_dir=bin_dir(version)),
            )  # fmt: skip
            yield RemotePair(version, settings, servers)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _demand_passwords(server: Server) -> None:
    path = server.data / "pg_hba.conf"
    path.write_text(HBA)
    drop = unprivileged()
    if drop:
        os.chown(path, drop["user"], drop["group"])  # type: ignore[arg-type]
    server.run("pg_ctl", "reload", "-D", str(server.data))
