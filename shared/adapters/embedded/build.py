"""Lay out a state directory: settings, secrets and every configuration file. No process yet."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from pathlib import Path

from shared.adapters.doors.direct_door import socket_path
from shared.adapters.embedded.accounts import Account, can_reach
from shared.adapters.embedded.child import ControlFiles, write_whole
from shared.adapters.embedded.clusters import configure, prepare
from shared.adapters.embedded.doors_conf import (
    DIRECT_LINK,
    ROUTE_FILE,
    nginx_conf,
    pgbouncer_ini,
    redis_conf,
    userlist,
)
from shared.adapters.embedded.flower_conf import flower_conf
from shared.adapters.embedded.layout import SOCKET_PATH_LIMIT, Layout
from shared.adapters.embedded.ports import HOST, Ports
from shared.adapters.embedded.postgres_binaries import PostgresBinaries
from shared.adapters.embedded.roles import DATABASE
from shared.adapters.embedded.secrets_store import (
    ADMINISTRATOR,
    APPLICATION,
    CONTROL_ROLE,
    POOLER_ADMINISTRATOR,
    create_secrets,
)
from shared.adapters.embedded.server_binaries import ServerBinaries
from shared.adapters.embedded.stack_plan import DOORS, SERVERS, stack_plan
from shared.adapters.pooler.route_file import route_text
from shared.domain.environment import Colour
from shared.domain.errors import Refused
from shared.domain.objects import POOLER_ROLE
from shared.settings import (
    DoorSettings,
    FlowerSettings,
    NodeSettings,
    PoolerSettings,
    RedisSettings,
    ServerSettings,
    Settings,
)

CONTROL_DATABASE = "bluegreen_control"
AUTH_QUERY = "SELECT usename, passwd FROM bluegreen.pooler_auth($1)"


MARKS = "/ . _ + : @ = ~ -"
WRITTEN_AS_IT_IS = re.compile(r"[\w/.+:@=~-]+")
"""Paths that mean the same in the files of PostgreSQL, PgBouncer, nginx and Redis and in a
connection string, where blanks, commas, quotes and the like divide or begin something."""


def check_place(root: Path, owner: Account | None) -> None:
    """Raises Refused when a stack cannot live there."""
    longest = Layout(root).server("control").socket(HIGHEST_PORT)
    if len(os.fsencode(longest)) > SOCKET_PATH_LIMIT:
        raise Refused(
            f"expected a state directory whose sockets' paths fit {SOCKET_PATH_LIMIT} bytes, "
            f"found {longest}",
            remedy="choose a shorter --state-dir",
        )
    if WRITTEN_AS_IT_IS.fullmatch(str(root)) is None:
        raise Refused(
            f"expected a state directory of letters, digits and {MARKS}, found {str(root)!r}, "
            "which the servers' configuration files would read as something else",
            remedy=f"choose another, such as --state-dir {_open_place()}",
        )
    if not can_reach(root, owner):
        user = owner.name if owner else "you"
        raise Refused(
            f"expected a state directory that user {user} can enter, because the servers run as "
            f"{user} when root starts them; found {root} below a closed directory",
            remedy=f"choose one that is open, such as --state-dir {_open_place()}",
        )
    if root.exists() and any(root.iterdir()) and not Layout(root).mark.exists():
        raise Refused(
            f"expected an empty directory or a stack in {root}, found other files",
            remedy="choose another --state-dir",
        )


HIGHEST_PORT = 65_535


def _open_place() -> Path:
    return Path(tempfile.gettempdir()) / "bluegreen"


def lay_out(
    layout: Layout,
    ports: Ports,
    postgres: PostgresBinaries,
    servers: ServerBinaries,
    owner: Account | None,
) -> Settings:
    """Write everything but `stack.json`, and return what will stand in it."""
    for name in ("logs", "backups", "agents", "flower", "deeds"):
        layout.place(name).mkdir(exist_ok=True)
    create_secrets(layout.secrets, owner)
    settings = _settings(layout, ports, postgres, owner)
    _servers(layout, settings, postgres, owner)
    _doors(layout, settings, ports, servers, owner)
    write_whole(layout.place("flower") / "flowerconfig.py",
                flower_conf(layout.place("flower"), ports["flower"], settings.secret("flower")),
                0o600)  # fmt: skip
    control = ControlFiles(layout.supervisor)
    control.create()
    plan = stack_plan(layout, postgres, servers, owner.name if owner else None)
    write_whole(control.plan_file, plan.model_dump_json(indent=1))
    return settings


def _settings(
    layout: Layout, ports: Ports, postgres: PostgresBinaries, owner: Account | None
) -> Settings:
    stack = secrets.token_hex(4)
    return Settings(
        state_dir=layout.root,
        database=DATABASE,
        application_role=APPLICATION,
        nodes={
            colour: NodeSettings(
                colour=colour,
                driver="local",
                host=HOST,
                port=ports[colour],
                cluster_name=f"bluegreen-{stack}-{colour}",
                socket_dir=layout.server(colour).socket_dir,
                data_dir=layout.server(colour).data,
                conf_dir=layout.server(colour).conf,
                bin_dir=postgres.bin_dir,
                run_as=owner.name if owner else None,
                administrator=ADMINISTRATOR,
            )
            for colour in Colour
        },
        control=ServerSettings(
            host=HOST,
            port=ports["control"],
            database=CONTROL_DATABASE,
            user=CONTROL_ROLE,
            own_roles=True,
        ),
        redis=RedisSettings(host=HOST, port=ports["redis"]),
        pooler=PoolerSettings(
            host=HOST,
            port=ports["pgbouncer"],
            admin_user=POOLER_ADMINISTRATOR,
            route_file=layout.place("pgbouncer") / ROUTE_FILE,
        ),
        doors=DoorSettings(
            host=HOST,
            pooled_port=ports["pooled"],
            direct_port=ports["direct"],
            direct_link=layout.place("nginx") / DIRECT_LINK,
            access_log=layout.logs / "nginx-access.log",
        ),
        flower=FlowerSettings(host=HOST, port=ports["flower"]),
        secrets_dir=layout.secrets,
        backup_dir=layout.backups,
    )


def _servers(
    layout: Layout, settings: Settings, postgres: PostgresBinaries, owner: Account | None
) -> None:
    for name in SERVERS:
        prepare(layout, name, owner)
        node = settings.nodes.get(Colour(name)) if name in tuple(Colour) else None
        stack = settings.nodes[Colour.BLUE].cluster_name.removesuffix("-blue")
        configure(
            layout,
            name,
            port=node.port if node else settings.control.port,
            cluster_name=node.cluster_name if node else f"{stack}-control",
            binaries=postgres,
        )


def _doors(
    layout: Layout, settings: Settings, ports: Ports, servers: ServerBinaries, owner: Account | None
) -> None:
    redis, pgbouncer, nginx = (layout.place(name) for name in DOORS)
    for place in (redis, pgbouncer, nginx):
        place.mkdir(exist_ok=True)
        if owner is not None:
            owner.own(place)
    asks, administrator = (
        (role, settings.secret(role)) for role in (POOLER_ROLE, POOLER_ADMINISTRATOR)
    )
    blue = settings.nodes[Colour.BLUE]
    files = {
        redis / "redis.conf": redis_conf(
            redis, port=settings.redis.port, secret=settings.secret("redis")
        ),
        pgbouncer / "userlist.txt": userlist(asks=asks, administrator=administrator),
        pgbouncer / "pgbouncer.ini": pgbouncer_ini(
            pgbouncer,
            port=settings.pooler.port,
            auth_user=POOLER_ROLE,
            auth_query=AUTH_QUERY,
            administrator=POOLER_ADMINISTRATOR,
        ),
        nginx / "nginx.conf": nginx_conf(nginx, layout.logs, ports, servers.nginx_stream),
    }
    for path, text in files.items():
        write_whole(path, text, 0o600)
        if owner is not None:
            owner.own(path)
    write_whole(settings.pooler.route_file, route_text(settings.database, blue))
    settings.doors.direct_link.symlink_to(socket_path(blue))
    for log in ("nginx-access.log", "nginx-error.log"):
        (layout.logs / log).touch()
        if owner is not None:
            owner.own(layout.logs / log)
