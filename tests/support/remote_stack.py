"""The embedded stack with two servers that are handled as managed ones: only their addresses count.

Green becomes a server of its own, with an empty database; both are prepared as
docs/managed-servers.md says. Without `superuser` nothing of ours is one, on either server.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from shared.adapters.drivers.local_driver import LocalDriver
from shared.adapters.embedded.accounts import server_account
from shared.adapters.embedded.clusters import initdb
from shared.adapters.embedded.layout import Layout
from shared.adapters.embedded.postgres_binaries import find_postgres
from shared.adapters.embedded.secrets_store import ADMINISTRATOR
from shared.adapters.embedded.stack import up
from shared.adapters.standing.prepare_server import prepare_server
from shared.domain.environment import Colour
from shared.domain.objects import AGENT_ROLES, STANDBY_SLOTS
from shared.settings import Settings, load
from tests.support.journey import Journey
from tests.support.stack import Stack, running_stack

START_LIMIT_S = 30.0


@contextmanager
def remote_journey(version: int, folder: Path, *, superuser: bool) -> Iterator[Journey]:
    """With agents and the shop, on blue; gone at the end."""
    with running_stack(version) as local:
        settings = local.settings
        _make_green_a_server_of_its_own(settings, version)
        for colour in Colour:
            _prepare(local, colour, superuser=superuser)
        if not superuser:
            _tell_the_pooler_the_secrets(local)
        remote = _known_by_address(settings)
        Layout(settings.state_dir).settings.write_text(remote.model_dump_json(), encoding="utf-8")
        stack = Stack(up(settings.state_dir, version), load_of(settings.state_dir))
        journey = Journey(stack, folder)
        journey.shop.build()
        yield journey


def load_of(state_dir: Path) -> Settings:
    return load({"BLUEGREEN_STATE_DIR": str(state_dir)})


def _known_by_address(settings: Settings) -> Settings:
    """The directories of the data are forgotten; sockets are the direct door's."""
    nodes = {
        colour: node.model_copy(update={"driver": "remote", "data_dir": None, "conf_dir": None})
        for colour, node in settings.nodes.items()
    }
    return settings.model_copy(update={"nodes": nodes})


def _make_green_a_server_of_its_own(settings: Settings, version: int) -> None:
    layout, driver = Layout(settings.state_dir), LocalDriver.of(settings, Colour.GREEN)
    driver.stop(limit_s=START_LIMIT_S)
    driver.clear_recovery()
    server, owner = layout.server(Colour.GREEN), server_account()
    for path in server.data.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    initdb(find_postgres(version), server, settings.secret(ADMINISTRATOR), owner)
    driver.start(limit_s=START_LIMIT_S)


def _prepare(stack: Stack, colour: Colour, *, superuser: bool) -> None:
    settings = stack.settings
    dsn = stack.doors[colour.value]
    with psycopg.connect(dsn, dbname="postgres", autocommit=True) as administrator:
        if colour is Colour.GREEN:
            secret = settings.secret("app")  # the same password, and yet another verifier
            administrator.execute(f"CREATE ROLE app LOGIN PASSWORD '{secret}'")
            administrator.execute("CREATE DATABASE app OWNER app")
        else:
            administrator.execute(
                "SELECT pg_drop_replication_slot(%s)", [STANDBY_SLOTS[Colour.GREEN.value]]
            )
            if not superuser:
                for role in ("bg_owner", "bg_replicator"):
                    administrator.execute(f"ALTER ROLE {role} NOSUPERUSER")
    prepare_server(settings, colour, superuser=superuser, rests=colour is Colour.GREEN)


def _tell_the_pooler_the_secrets(stack: Stack) -> None:
    """Who is no superuser may not read the verifiers, so PgBouncer cannot ask for them: neither for
    the application's, nor for that of the agent that looks through the door."""
    users = Layout(stack.state_dir).place("pgbouncer") / "userlist.txt"
    with users.open("a", encoding="utf-8") as file:
        for role in ("app", AGENT_ROLES["health-monitor"]):
            file.write(f'"{role}" "{stack.settings.secret(role)}"\n')
    stack.until_back("pgbouncer", stack.kill("pgbouncer"))  # what it was told before is forgotten
    stack.until_answers("app")
