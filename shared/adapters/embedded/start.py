"""The first start of a stack: roles, database, standby, control schema; then doors and agents."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

from shared.adapters.control.install import install as install_control
from shared.adapters.control.roles import create_control_roles, grant
from shared.adapters.embedded.accounts import Account
from shared.adapters.embedded.child import ControlFiles
from shared.adapters.embedded.clusters import initdb, make_standby, replication_conninfo
from shared.adapters.embedded.description import describe
from shared.adapters.embedded.layout import Layout
from shared.adapters.embedded.postgres_binaries import PostgresBinaries
from shared.adapters.embedded.ready import (
    until,
    wait_for_agents,
    wait_for_child,
    wait_for_door,
    wait_for_port,
    wait_for_server,
)
from shared.adapters.embedded.roles import SERVER_DATABASE, create_database, create_roles
from shared.adapters.embedded.secrets_store import ADMINISTRATOR, CONTROL_ROLE
from shared.adapters.embedded.stack_plan import DOORS, SERVERS
from shared.adapters.postgres import PsycopgSession, connect
from shared.adapters.queue.agents import AGENTS
from shared.adapters.standing import standing
from shared.adapters.verifier import verifier
from shared.domain.environment import Colour
from shared.domain.identifiers import ident, literal
from shared.settings import Settings

Progress = Callable[[str], None]


def start_first_time(
    layout: Layout,
    settings: Settings,
    postgres: PostgresBinaries,
    owner: Account | None,
    on_progress: Progress,
) -> None:
    """Both halves side by side: the pair with its doors, and the control database."""
    control = ControlFiles(layout.supervisor)
    for door in DOORS:
        control.want(door, "running")
    with ThreadPoolExecutor(max_workers=2) as pool:
        other = pool.submit(_start_control, layout, settings, postgres, owner)
        _start_pair(layout, settings, postgres, owner, on_progress)
        other.result()
    on_progress("opening the doors")
    description, blue = describe(settings), settings.nodes[Colour.BLUE]
    for dsn, door in ((description.app, "pgbouncer"), (description.direct, "nginx")):
        wait_for_door(dsn, blue.cluster_name, f"the door of {door}", layout.logs / f"{door}.log")


def _start_pair(
    layout: Layout,
    settings: Settings,
    postgres: PostgresBinaries,
    owner: Account | None,
    on_progress: Progress,
) -> None:
    control, blue = ControlFiles(layout.supervisor), settings.nodes[Colour.BLUE]
    initdb(postgres, layout.server(Colour.BLUE), settings.secret(ADMINISTRATOR), owner)
    control.want(Colour.BLUE, "running")
    wait_for_server(layout, Colour.BLUE)
    with _administrator(settings, blue.port, SERVER_DATABASE) as session:
        create_roles(session, settings.secret)
        create_database(session)
        if postgres.has_pg_stat_statements:
            session.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    with _administrator(settings, blue.port, settings.database) as session:
        standing.install(
            session,
            application_role=settings.application_role,
            administrator=blue.administrator,
            exempt_roles=settings.exempt_roles,
        )
    on_progress("copying blue to green, which follows it")
    make_standby(
        postgres, layout.server(Colour.GREEN), owner, of=Colour.BLUE,
        conninfo=replication_conninfo(settings.secrets_dir, Colour.BLUE, port=blue.port),
    )  # fmt: skip
    control.want(Colour.GREEN, "running")
    wait_for_server(layout, Colour.GREEN)
    with _administrator(settings, blue.port, SERVER_DATABASE) as session:
        until(
            lambda: session.value("SELECT state FROM pg_stat_replication") == "streaming",
            "green to follow blue", log=layout.logs / "green.log",
        )  # fmt: skip


def _start_control(
    layout: Layout, settings: Settings, postgres: PostgresBinaries, owner: Account | None
) -> None:
    server = settings.control
    initdb(postgres, layout.server("control"), settings.secret(ADMINISTRATOR), owner)
    ControlFiles(layout.supervisor).want("control", "running")
    wait_for_server(layout, "control")
    with _administrator(settings, server.port, SERVER_DATABASE) as session:
        password = literal(verifier(settings.secret(CONTROL_ROLE)))
        # A rollback point is proven by restoring it here, extensions and owners included.
        session.execute(f"CREATE ROLE {ident(CONTROL_ROLE)} SUPERUSER LOGIN PASSWORD {password}")
        session.execute(f"CREATE DATABASE {ident(server.database)} OWNER {ident(CONTROL_ROLE)}")
        create_control_roles(session, settings.secret)
    _install_control(settings)


def _install_control(settings: Settings) -> None:
    """The control database's schema and grants as this program wants them."""
    server = settings.control
    with connect(
        host=server.host, port=server.port, database=server.database, user=server.user,
        password=settings.secret(server.user), application_name="bluegreen/up",
    ) as session:  # fmt: skip
        install_control(session)
        if server.own_roles:
            grant(session)


def start_agents(layout: Layout, settings: Settings, on_progress: Progress) -> None:
    """Want every agent and Flower, and wait until each answers; those that run are left alone."""
    control = ControlFiles(layout.supervisor)
    agents = [name for name in control.children() if name in AGENTS]
    on_progress("starting the agents and Flower")
    _install_control(settings)
    for name in (*agents, "flower"):
        control.want(name, "running")
    wait_for_agents(layout, settings, agents)
    assert settings.flower is not None
    wait_for_port(layout, "flower", settings.flower.host, settings.flower.port)


def wait_for_all(layout: Layout) -> None:
    """Wait for whatever is wanted to run, after the supervisor was started again."""
    control = ControlFiles(layout.supervisor)
    for name in (*SERVERS, *DOORS):
        if control.desired(name) == "running":
            (wait_for_server if name in SERVERS else wait_for_child)(layout, name)


def _administrator(
    settings: Settings, port: int, database: str
) -> AbstractContextManager[PsycopgSession]:
    return connect(
        host="127.0.0.1", port=port, database=database, user=ADMINISTRATOR,
        password=settings.secret(ADMINISTRATOR), application_name="bluegreen/up",
    )  # fmt: skip
