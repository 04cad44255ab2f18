"""Which processes a stack consists of, and how each is begun and ended."""

from __future__ import annotations

import signal
import sys
from importlib.util import find_spec

from shared.adapters.embedded.child import ChildPlan, Plan
from shared.adapters.embedded.layout import Layout
from shared.adapters.embedded.postgres_binaries import PostgresBinaries
from shared.adapters.embedded.server_binaries import ServerBinaries
from shared.adapters.queue.agents import AGENTS, worker_argv

SERVERS = ("blue", "green", "control")
DOORS = ("redis", "pgbouncer", "nginx")
AGENT_FLOOR, DOOR_FLOOR, SERVER_FLOOR = 2, 1, 0
CUTS_OVER = "proxy-agent"
"""Clients wait while it works, so it is the one agent that gives way to nobody."""
GIVES_WAY = 5
"""An agent that looks at its queue must not be what a client's transaction waits for."""
FLOWER_APP = "shared.adapters.embedded.flower_app"


def stack_plan(
    layout: Layout, postgres: PostgresBinaries, servers: ServerBinaries, run_as: str | None
) -> Plan:
    children = [_postgres(layout, name, postgres, run_as) for name in SERVERS]
    children += _doors(layout, servers, run_as)
    children += [_agent(layout, agent) for agent in agents_here()]
    children.append(_flower(layout))
    return Plan(state_dir=layout.root, children=tuple(children))


def agents_here() -> list[str]:
    """The agents whose composition root exists."""
    return [
        agent for agent in AGENTS if find_spec(f"workers.{agent.replace('-', '_')}.app") is not None
    ]


def _postgres(
    layout: Layout, name: str, binaries: PostgresBinaries, run_as: str | None
) -> ChildPlan:
    """Orphaned it stops at once, which leaves no shared memory behind, as SIGKILL would."""
    server = layout.server(name)
    return ChildPlan(
        name=name,
        command=(binaries.program("postgres"), "-D", str(server.data),
                 "-c", f"config_file={server.conf / 'postgresql.conf'}"),
        place=server.data,
        run_as=run_as,
        stop=signal.SIGINT,
        stop_at_once=signal.SIGQUIT,
        orphaned=signal.SIGQUIT,
        stop_limit_s=120,
        floor=SERVER_FLOOR,
    )  # fmt: skip


def _doors(layout: Layout, servers: ServerBinaries, run_as: str | None) -> list[ChildPlan]:
    """nginx is told to end when orphaned: killed, its worker would go on serving."""
    redis, pgbouncer, nginx = (layout.place(name) for name in DOORS)
    return [
        ChildPlan(name="redis", command=(str(servers.redis), str(redis / "redis.conf")),
                  place=redis, run_as=run_as, floor=SERVER_FLOOR),
        ChildPlan(name="pgbouncer",
                  command=(str(servers.pgbouncer), "-q", str(pgbouncer / "pgbouncer.ini")),
                  place=pgbouncer, run_as=run_as, stop=signal.SIGKILL, floor=DOOR_FLOOR),
        ChildPlan(name="nginx",
                  command=(str(servers.nginx), "-e", str(layout.logs / "nginx-error.log"),
                           "-p", str(nginx), "-c", str(nginx / "nginx.conf")),
                  place=nginx, run_as=run_as, orphaned=signal.SIGTERM, floor=DOOR_FLOOR),
    ]  # fmt: skip


def _agent(layout: Layout, agent: str) -> ChildPlan:
    return ChildPlan(
        name=agent,
        command=tuple(worker_argv(agent)),
        place=layout.place("agents"),
        environment=_python_environment(layout),
        inherits_environment=True,
        gives_way=0 if agent == CUTS_OVER else GIVES_WAY,
        floor=AGENT_FLOOR,
    )  # fmt: skip


def _flower(layout: Layout) -> ChildPlan:
    return ChildPlan(
        name="flower",
        command=(
            sys.executable, "-m", "celery", "--app", FLOWER_APP, "flower",
            f"--conf={layout.place('flower') / 'flowerconfig.py'}",
        ),
        place=layout.place("flower"),
        environment=_python_environment(layout),
        inherits_environment=True,
        gives_way=GIVES_WAY,
        floor=AGENT_FLOOR,
    )  # fmt: skip


def _python_environment(layout: Layout) -> dict[str, str]:
    return {"BLUEGREEN_STATE_DIR": str(layout.root), "PYTHONUNBUFFERED": "1"}
