"""Settings over test servers, for adapters that need no running stack."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shared.domain.environment import Colour
from shared.settings import (
    BackupSettings,
    DoorSettings,
    NodeSettings,
    PoolerSettings,
    RedisSettings,
    ServerSettings,
    Settings,
)
from tests.support.cluster import Server, postgres

ROLES = ("postgres", "app", "bg_backup", "bg_health", "bg_replicator", "bg_pooler_admin")


@dataclass
class PaperStack:
    """A blue server with the database `app` and our roles, and a control server."""

    blue: Server
    control: Server
    settings: Settings


def settings_over(
    root: Path, blue: Server, control: Server, green: Server | None = None
) -> Settings:
    """Settings that name these servers; everyone's secret is empty, since they trust loopback."""
    secrets = root / "secrets"
    secrets.mkdir(exist_ok=True)
    for role in ROLES:
        (secrets / role).write_text("trusted")
    return Settings(
        state_dir=root,
        database="app",
        application_role="app",
        nodes={
            Colour.BLUE: _node(Colour.BLUE, blue),
            Colour.GREEN: _node(Colour.GREEN, green or blue),
        },
        control=ServerSettings(
            host="127.0.0.1", port=control.port, database="postgres", user="postgres"
        ),
        redis=RedisSettings(host="127.0.0.1", port=1),
        pooler=PoolerSettings(host="127.0.0.1", port=1, route_file=root / "route.ini"),
        doors=DoorSettings(
            host="127.0.0.1", pooled_port=1, direct_port=1, direct_link=root / "active.sock"
        ),
        secrets_dir=secrets,
        backup_dir=root / "backups",
        backup=BackupSettings(bin_dir=blue.bin),
    )


def prepare(server: Server) -> None:
    """Our roles, the application's role and its database, as a stack would make them."""
    with server.connect() as connection:
        connection.execute("CREATE ROLE app LOGIN")
        connection.execute("CREATE ROLE bg_replicator SUPERUSER LOGIN")
        connection.execute("CREATE ROLE bg_backup LOGIN BYPASSRLS")
        connection.execute("GRANT pg_read_all_data TO bg_backup")
        connection.execute("CREATE ROLE bg_health LOGIN")
        connection.execute("GRANT pg_monitor TO bg_health")
        connection.execute("CREATE DATABASE app OWNER app")


@contextmanager
def paper_stack(root: Path, version: int = 15) -> Iterator[PaperStack]:
    with (
        postgres(version, cluster_name="blue") as blue,
        postgres(version, cluster_name="control") as control,
    ):
        prepare(blue)
        yield PaperStack(blue, control, settings_over(root, blue, control))


def _node(colour: Colour, server: Server) -> NodeSettings:
    return NodeSettings(
        colour=colour,
        driver="local",
        host="127.0.0.1",
        port=server.port,
        cluster_name=server.settings["cluster_name"],
        data_dir=server.data,
        conf_dir=server.root,
        bin_dir=server.bin,
    )
