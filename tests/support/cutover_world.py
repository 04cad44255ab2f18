"""Two servers in sync and a pooler before them: what the proxy-agent meets when a cutover begins.

Green is a copy of blue with the same object identifiers, as a fork is, fenced from its start. The
job's schema is the smallest that a cutover needs: a marker, and renamers that give `account.name`
another name. Streams stand as the replicator leaves them: forward alive, reverse without a slot.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from shared.adapters.pooler.route_file import route_text
from shared.adapters.postgres import PsycopgSession
from shared.adapters.standing.standing import install
from shared.domain.environment import Colour
from shared.settings import (
    DoorSettings,
    NodeSettings,
    PoolerSettings,
    RedisSettings,
    ServerSettings,
    Settings,
)
from tests.support.cluster import Server, free_port, postgres, unprivileged
from tests.support.pooler import PoolerProcess, pgbouncer
from tests.support.roles import DATABASE, create_roles
from tests.support.wait import until

SERVER = {
    "cluster_name": "bluegreen-blue", "max_connections": "150", "fsync": "on",
    "wal_retrieve_retry_interval": "200ms",
}  # fmt: skip
SCHEMA = """
CREATE TABLE account (id bigserial PRIMARY KEY, name text NOT NULL, balance int NOT NULL DEFAULT 0);
CREATE TABLE journal (id bigserial PRIMARY KEY, writer int NOT NULL, n int NOT NULL,
                      UNIQUE (writer, n));
INSERT INTO account (name) SELECT 'account ' || n FROM generate_series(1, 100) AS n;
ALTER TABLE account OWNER TO app; ALTER TABLE journal OWNER TO app;
"""
JOB = """
CREATE SCHEMA bluegreen_job;
CREATE TABLE bluegreen_job.marker (
  token text PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TRIGGER expect_names_of_stream BEFORE INSERT ON bluegreen_job.marker FOR EACH ROW
  WHEN (NEW.token LIKE 'reopened %') EXECUTE FUNCTION bluegreen.expect_names_of_stream();
ALTER TABLE bluegreen_job.marker ENABLE REPLICA TRIGGER expect_names_of_stream;
CREATE FUNCTION bluegreen_job.to_final() RETURNS void LANGUAGE sql AS
  'ALTER TABLE public.account RENAME COLUMN name TO holder';
CREATE FUNCTION bluegreen_job.to_sync() RETURNS void LANGUAGE sql AS
  'ALTER TABLE public.account RENAME COLUMN holder TO name';
"""
SAME_NAMES = """
CREATE OR REPLACE FUNCTION bluegreen_job.to_final() RETURNS void LANGUAGE sql AS 'SELECT';
CREATE OR REPLACE FUNCTION bluegreen_job.to_sync() RETURNS void LANGUAGE sql AS 'SELECT';
"""
PUBLISH = """CREATE PUBLICATION {} FOR TABLE {}, bluegreen_job.marker
  WITH (publish_via_partition_root = true)"""
SUBSCRIBE = """CREATE SUBSCRIPTION {name} CONNECTION '{dsn}' PUBLICATION {name}
  WITH (create_slot = false, slot_name = '{name}', copy_data = false, enabled = false{origin})"""


@dataclass
class World:
    root: Path
    servers: dict[Colour, Server]
    pooler: PoolerProcess
    settings: Settings

    def admin(self, colour: Colour) -> psycopg.Connection:
        return self.servers[colour].connect(DATABASE)

    def value(self, colour: Colour, text: str, *params: object) -> object:
        with self.admin(colour) as connection:
            row = connection.execute(text, params).fetchone()
        assert row is not None
        return row[0]

    def journal(self, colour: Colour) -> set[tuple[int, int]]:
        """What the writers left on that side."""
        with self.admin(colour) as connection:
            return set(connection.execute("SELECT writer, n FROM journal").fetchall())

    @property
    def application_dsn(self) -> str:
        """Through the pooled door, as the application role."""
        return f"host=127.0.0.1 port={self.pooler.port} dbname={DATABASE} user=app"

    @property
    def application_dsn_as_url(self) -> str:
        return f"postgresql://app@127.0.0.1:{self.pooler.port}/{DATABASE}"

    def application_at(self, colour: Colour) -> str:
        """Past the doors, as the application role."""
        return self.servers[colour].dsn(DATABASE, "app")


@contextmanager
def cutover_world(
    version: int = 15, *, more: str = "", tables: str = "account, journal", renaming: bool = True
) -> Iterator[World]:
    """`more`: SQL that makes further tables on both sides; `tables`: those that are in sync.
    Without `renaming` the schema stays as it is over a cutover."""
    with ExitStack() as stack:
        root = Path(tempfile.mkdtemp(prefix="bluegreen-world-"))
        stack.callback(shutil.rmtree, root, ignore_errors=True)
        root.chmod(0o755)
        blue = stack.enter_context(postgres(version, **SERVER))
        _fill(blue, more if renaming else more + SAME_NAMES)
        green = stack.enter_context(_copy(blue, "bluegreen-green"))
        servers = {Colour.BLUE: blue, Colour.GREEN: green}
        _connect_streams(servers, tables)
        settings = _settings(root, servers, free_port())
        settings.pooler.route_file.write_text(route_text(DATABASE, settings.nodes[Colour.BLUE]))
        settings.doors.direct_link.symlink_to(blue.root / f".s.PGSQL.{blue.port}")
        pooler = stack.enter_context(
            pgbouncer(root, settings.pooler.port, settings.pooler.route_file)
        )
        yield World(root, servers, pooler, settings)


@contextmanager
def standby_world(version: int = 15, *, more: str = "") -> Iterator[World]:
    """A primary with a standby that streams from it, and the same pooler before them."""
    with ExitStack() as stack:
        root = Path(tempfile.mkdtemp(prefix="bluegreen-world-"))
        stack.callback(shutil.rmtree, root, ignore_errors=True)
        root.chmod(0o755)
        blue = stack.enter_context(postgres(version, **SERVER))
        _fill(blue, more)
        green = stack.enter_context(_copy(blue, "bluegreen-green", standby=True))
        servers = {Colour.BLUE: blue, Colour.GREEN: green}
        settings = _settings(root, servers, free_port())
        settings.pooler.route_file.write_text(route_text(DATABASE, settings.nodes[Colour.BLUE]))
        pooler = stack.enter_context(
            pgbouncer(root, settings.pooler.port, settings.pooler.route_file)
        )
        yield World(root, servers, pooler, settings)


def restore_streams(world: World) -> None:
    """An undone cutover leaves green out of sync, to be thrown away; here it is used again."""
    with world.admin(Colour.BLUE) as blue, world.admin(Colour.GREEN) as green:
        blue.execute(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
            " WHERE slot_name = 'bluegreen_forward'"
        )
        blue.execute("SELECT pg_create_logical_replication_slot('bluegreen_forward', 'pgoutput')")
        green.execute("ALTER SUBSCRIPTION bluegreen_forward ENABLE")


def _fill(server: Server, more: str) -> None:
    with server.connect() as admin:
        create_roles(admin)
    with server.connect(DATABASE) as admin:
        install(PsycopgSession(admin), application_role="app", administrator="postgres")
        admin.execute(SCHEMA)
        admin.execute(JOB)
        if more:
            admin.execute(more)


@contextmanager
def _copy(server: Server, cluster_name: str, *, standby: bool = False) -> Iterator[Server]:
    """A second server from a base backup of the first: same system and object identifiers."""
    root = Path(tempfile.mkdtemp(prefix="bluegreen-pg-"))
    drop = unprivileged()
    if drop:
        os.chown(root, drop["user"], drop["group"])  # type: ignore[arg-type]
    settings = {**server.settings, "cluster_name": cluster_name}
    copied = Server(server.version, root, free_port(), settings)
    copied.run(
        "pg_basebackup", "-D", str(copied.data), "-c", "fast", "-X", "stream", "--no-sync",
        "-d", server.dsn(),
    )  # fmt: skip
    if standby:
        copied.follow(server)
    else:
        copied.start()
    try:
        yield copied
    finally:
        copied.stop("immediate")
        shutil.rmtree(root, ignore_errors=True)


def _connect_streams(servers: dict[Colour, Server], tables: str) -> None:
    """Before any write, so that both sides begin equal."""
    blue, green = servers[Colour.BLUE], servers[Colour.GREEN]
    origin = ", origin = none" if blue.version >= 16 else ""
    with blue.connect(DATABASE) as old, green.connect(DATABASE) as new:
        new.execute("SELECT bluegreen.fence()")
        for source, target, name in (
            (old, new, "bluegreen_forward"),
            (new, old, "bluegreen_reverse"),
        ):
            source.execute(PUBLISH.format(name, tables))
            reader = "bg_repl_blue" if source is old else "bg_repl_green"
            server = blue if source is old else green
            dsn = server.dsn(DATABASE, reader)
            target.execute(SUBSCRIBE.format(name=name, dsn=dsn, origin=origin))
        old.execute("SELECT pg_create_logical_replication_slot('bluegreen_forward', 'pgoutput')")
        new.execute("ALTER SUBSCRIPTION bluegreen_forward ENABLE")
        old.execute("INSERT INTO bluegreen_job.marker (token) VALUES ('in sync')")
        until(
            lambda: new.execute("SELECT count(*) FROM bluegreen_job.marker").fetchone() == (1,),
            limit_s=10, what="green follows blue",
        )  # fmt: skip


def _settings(root: Path, servers: dict[Colour, Server], pooler_port: int) -> Settings:
    secrets = root / "secrets"
    secrets.mkdir()
    for role in ("bg_proxy", "bg_replicator", "bg_pooler_admin", "app", "postgres"):
        (secrets / role).write_text("trusted")
    nodes = {
        colour: NodeSettings(
            colour=colour, driver="local", host="127.0.0.1", port=server.port,
            cluster_name=server.settings["cluster_name"], socket_dir=server.root,
        )
        for colour, server in servers.items()
    }  # fmt: skip
    return Settings(
        state_dir=root,
        database=DATABASE,
        application_role="app",
        nodes=nodes,
        control=ServerSettings(host="127.0.0.1", port=1, database="none", user="none"),
        redis=RedisSettings(host="127.0.0.1", port=1),
        pooler=PoolerSettings(host="127.0.0.1", port=pooler_port, route_file=root / "route.ini"),
        doors=DoorSettings(
            host="127.0.0.1", pooled_port=pooler_port, direct_port=1,
            direct_link=root / "active.sock",
        ),
        secrets_dir=secrets,
        backup_dir=root,
    )  # fmt: skip
