"""Two servers as a test asks them, however they were made, and a job for a file rehearsed there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import psycopg

from shared.adapters.dump.pg_dump import Server as Reached
from shared.adapters.rehearsal.rehearsal import ScratchRehearsalRoom
from shared.adapters.schema.schema_copy import Copies
from shared.domain.environment import Colour
from shared.domain.migration import Job, Kind, RunOptions
from shared.domain.objects import AGENT_ROLES
from shared.ports import Database, Node
from shared.settings import (
    BackupSettings,
    DoorSettings,
    NodeSettings,
    PoolerSettings,
    RedisSettings,
    ServerSettings,
    Settings,
)
from tests.support.cluster import bin_dir

BLUE, GREEN = Colour.BLUE, Colour.GREEN


@dataclass
class Sides:
    """`blue` is active at first, with the database `app`."""

    version: int
    settings: Settings
    password: ClassVar[str] = ""
    """Of every role; empty where the servers trust loopback."""
    preflight: ClassVar[dict[str, Any]] = {}
    """Facts that preflight leaves with a job."""

    @property
    def nodes(self) -> Mapping[Colour, Node]:
        """What a step of the replicator gets."""
        raise NotImplementedError

    @property
    def databases(self) -> Mapping[Colour, Database]:
        """Read where green is copied."""
        return {}

    def connect(
        self, colour: Colour, user: str = "postgres", database: str = "app"
    ) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1", port=self.settings.nodes[colour].port, user=user, dbname=database,
            password=self.password or None, autocommit=True,
        )  # fmt: skip

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
        port, role = self.settings.nodes[source].port, AGENT_ROLES["replicator"]
        server = Reached("127.0.0.1", port, "app", role, self.password)
        found = ScratchRehearsalRoom(Copies(server, bin_dir(self.version))).rehearse(sql)
        facts = {"rehearse": {"mapping": dict(found.mapping), "run_as": found.run_as}}
        if self.preflight:
            facts["preflight"] = dict(self.preflight)
        return job_on(source, sql=sql, **facts)


def job_on(
    source: Colour, *, sql: str = "", kind: Kind = Kind.RISKY, **facts: dict[str, object]
) -> Job:
    """A job as the coordinator would hand it to a step: `rehearse={...}` are facts of that step."""
    return Job(
        id="20261123-7f3a", database="app", kind=kind, file_name="0001.sql", sql=sql,
        options=RunOptions(), source=source, epoch=1, attempt=1, facts=facts,
    )  # fmt: skip


def settings_of_sides(
    root: Path,
    ports: Mapping[Colour, int],
    *,
    driver: Literal["local", "remote"],
    secrets: Mapping[str, str],
    backup: BackupSettings | None = None,
) -> Settings:
    """Both servers and nothing else: at every other address nobody listens. Files are below `root`;
    `secrets` are written there."""
    place = root / "secrets"
    place.mkdir(mode=0o755)
    for role, secret in secrets.items():
        (place / role).write_text(secret)
    return Settings(
        state_dir=root,
        database="app",
        application_role="app",
        nodes={
            colour: NodeSettings(
                colour=colour, driver=driver, host="127.0.0.1", port=port,
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
        secrets_dir=place,
        backup_dir=root / "backups",
        backup=backup or BackupSettings(),
    )  # fmt: skip
