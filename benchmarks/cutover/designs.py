"""Four ways to bring an application from one server to the other, each as it is usually done.

`ours`      what Bluegreen does: docs/cutover.md
`reload`    (a) the stream proxy's upstream is rewritten and `nginx -s reload` called; what stays on
            the old side is cut off after it
`lsn`       (b) PgBouncer PAUSE, wait until the other side has confirmed the LSN, copy the
            sequences, change the route, RELOAD, RESUME
`promote`   (c) stop the primary, promote its standby, change the route, start the old one behind it

(a) and (b) run over replication in both directions with `origin = none`, so that they can go back
and forth; neither fences, since the scripts that one finds do not.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from benchmarks.cutover.arena import TABLES
from benchmarks.cutover.attempts import switched
from shared.adapters.doors.direct_door import socket_path
from shared.adapters.embedded.accounts import server_account
from shared.adapters.embedded.server_binaries import find_servers
from shared.adapters.pooler.pgbouncer import PgBouncer
from shared.domain.environment import Colour
from tests.support.cluster import free_port, unprivileged
from tests.support.cutover_switch import order, switch_of
from tests.support.cutover_world import World, cutover_world, standby_world
from tests.support.wait import until
from workers.proxy_agent.attempt import Way

VERSION = 18
IN_SYNC = "account, entry, counter"
MAX_STALL_MS = 500
POLL_S = 0.01
"""Between two looks at the slot: short beside the 400 ms that it lags."""
LSN_LIMIT_S = 30.0
SWEEP_S, SWEEP_PERIOD_S = 0.2, 0.02
"""So long, and so often, whoever comes back to the old side is cut off once more."""
SEQUENCES = "SELECT quote_ident(schemaname) || '.' || quote_ident(sequencename), last_value \
FROM pg_sequences WHERE last_value IS NOT NULL"
CUT_OFF = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'"


@dataclass(frozen=True)
class Turn:
    """One switch; times are readings of the monotonic clock."""

    began: float
    paused: float
    ended: float
    phases_ms: dict[str, float] = field(default_factory=dict)
    gave_up: int = 0
    """Attempts before it that held clients for a while and then left everything as it was."""


@dataclass
class Design:
    world: World
    dsn: str
    """What clients connect to."""
    bring_to: Callable[[Colour], Turn]
    serving: Colour = Colour.BLUE

    def turn(self) -> Turn:
        turn = self.bring_to(self.serving.other)
        self.serving = self.serving.other
        return turn


@contextmanager
def ours(*, changing: bool) -> Iterator[Design]:
    with cutover_world(VERSION, more=TABLES, tables=IN_SYNC, renaming=changing) as world:
        switch = switch_of(world)

        def bring_to(new: Colour) -> Turn:
            way = Way.FORWARD if new is Colour.GREEN else Way.BACK
            asked = order(way, new.other, max_stall_ms=MAX_STALL_MS)
            began = time.monotonic()
            done, gave_up = switched(switch, asked)
            return Turn(
                began, done.paused_at, done.resumed_at, dict(done.phases_ms), gave_up
            )  # fmt: skip

        yield Design(world, world.application_dsn, bring_to)


@contextmanager
def two_way_world() -> Iterator[World]:
    """Replication in both directions, and both sides open."""
    with cutover_world(VERSION, more=TABLES, tables=IN_SYNC, renaming=False) as world:
        with world.admin(Colour.GREEN) as green, world.admin(Colour.BLUE) as blue:
            green.execute("SELECT bluegreen.lift()")
            green.execute(
                "SELECT pg_create_logical_replication_slot('bluegreen_reverse', 'pgoutput')"
            )
            blue.execute("ALTER SUBSCRIPTION bluegreen_reverse ENABLE")
        yield world


@contextmanager
def lsn() -> Iterator[Design]:
    with two_way_world() as world:
        pooler = PgBouncer(world.settings)

        def bring_to(new: Colour) -> Turn:
            phases: dict[str, float] = {}
            with world.admin(new.other) as old, world.admin(new) as target, pooler.opened() as pool:
                began = time.monotonic()
                with _phase(phases, "pause"):
                    pool.pause(limit_s=30)
                with _phase(phases, "wait_for_lsn"):
                    _wait_for_lsn(old)
                with _phase(phases, "sequences"):
                    for name, value in old.execute(SEQUENCES).fetchall():
                        target.execute("SELECT setval(%s, %s)", (name, value))
                with _phase(phases, "route"):
                    pool.route_to(new)
                with _phase(phases, "resume"):
                    pool.resume()
            return Turn(began, began, time.monotonic(), phases)

        yield Design(world, world.application_dsn, bring_to)


def _wait_for_lsn(old: psycopg.Connection) -> None:
    goal = old.execute("SELECT pg_current_wal_lsn()").fetchone()
    assert goal is not None
    there = "SELECT every(confirmed_flush_lsn >= %s) FROM pg_replication_slots WHERE active"
    end = time.monotonic() + LSN_LIMIT_S
    while old.execute(there, goal).fetchone() != (True,):
        if time.monotonic() > end:
            raise SystemExit(f"expected the slot to reach {goal[0]} within {LSN_LIMIT_S:.0f} s")
        time.sleep(POLL_S)


NGINX = """
{load}
daemon off; worker_processes 1; pid {root}/nginx.pid; error_log {root}/nginx.log warn;
events {{ worker_connections 1024; }}
stream {{ access_log off; tcp_nodelay on;
  server {{ listen 127.0.0.1:{port}; include {root}/upstream.conf; }} }}
"""


@contextmanager
def reload() -> Iterator[Design]:
    with two_way_world() as world, ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bluegreen-bench-")))
        drop = unprivileged()
        if drop:
            os.chown(root, drop["user"], drop["group"])  # type: ignore[arg-type]
        servers, port = find_servers(server_account()), free_port()
        load = f"load_module {servers.nginx_stream};" if servers.nginx_stream else ""
        (root / "nginx.conf").write_text(NGINX.format(load=load, root=root, port=port))
        _upstream(root, world, Colour.BLUE)
        nginx = subprocess.Popen(
            [servers.nginx, "-e", str(root / "nginx.log"), "-p", str(root), "-c",
             str(root / "nginx.conf")], cwd=root, **unprivileged(),
        )  # fmt: skip
        stack.callback(nginx.wait, 10)
        stack.callback(nginx.terminate)
        dsn = f"host=127.0.0.1 port={port} dbname=app user=app"
        until(lambda: _server(dsn), limit_s=10, what="nginx answers")

        def bring_to(new: Colour) -> Turn:
            phases: dict[str, float] = {}
            name = world.servers[new].settings["cluster_name"]
            with world.admin(new.other) as old, world.admin(new) as target:
                began = time.monotonic()
                with _phase(phases, "reload"):
                    _upstream(root, world, new)
                    nginx.send_signal(1)
                    until(lambda: _server(dsn) == name, limit_s=10, what="new workers")
                with _phase(phases, "cut_off"):
                    end = time.monotonic() + SWEEP_S
                    while time.monotonic() < end:
                        old.execute(CUT_OFF)
                        time.sleep(SWEEP_PERIOD_S)
                ended = time.monotonic()
                for name_, value in old.execute(SEQUENCES).fetchall():
                    target.execute("SELECT setval(%s, %s)", (name_, value))
            return Turn(began, began, ended, phases)

        yield Design(world, dsn, bring_to)


def _upstream(root: Path, world: World, colour: Colour) -> None:
    target = socket_path(world.settings.nodes[colour])
    (root / "upstream.conf").write_text(f"proxy_pass unix:{target};\n")


def _server(dsn: str) -> str:
    with suppress(psycopg.Error), psycopg.connect(dsn, connect_timeout=2) as connection:
        row = connection.execute("SELECT current_setting('cluster_name')").fetchone()
        return str(row[0]) if row else ""
    return ""


@contextmanager
def promote() -> Iterator[Design]:
    with standby_world(VERSION, more=TABLES) as world:
        pooler = PgBouncer(world.settings)

        def bring_to(new: Colour) -> Turn:
            phases: dict[str, float] = {}
            old, target = world.servers[new.other], world.servers[new]
            began = time.monotonic()
            with _phase(phases, "stop"):
                old.stop("fast")
            with _phase(phases, "promote"):
                target.run("pg_ctl", "promote", "-w", "-D", str(target.data))
            with _phase(phases, "route"):
                pooler.route_to(new)
            ended = time.monotonic()
            old.follow(target)
            return Turn(began, began, ended, phases)

        yield Design(world, world.application_dsn, bring_to)


@contextmanager
def _phase(phases: dict[str, float], name: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    phases[name] = round((time.monotonic() - began) * 1000, 3)
