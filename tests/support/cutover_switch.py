"""A switch of a cutover world as the proxy-agent composes it, and an order for it."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from shared.adapters.doors.direct_door import SymlinkDoor
from shared.adapters.drivers.remote_driver import addressed_nodes
from shared.adapters.pooler.pgbouncer import PgBouncer
from shared.domain.environment import Colour
from shared.domain.errors import Transient
from shared.settings import Settings
from tests.support.cutover_world import World
from tests.support.wait import until
from workers.proxy_agent.attempt import Way
from workers.proxy_agent.companions import watchdogs
from workers.proxy_agent.recovery import Recovery
from workers.proxy_agent.switch import Order, Switch, Switched


def switch_of(world: World, **changed: Any) -> Switch:
    """The switch as the proxy-agent composes it."""
    parts: dict[str, Any] = {
        "nodes": addressed_nodes(world.settings, "bg_proxy"),
        "pooler": PgBouncer(world.settings),
        "door": SymlinkDoor(world.settings),
        "watchdog": watchdogs(world.settings),
    }
    return Switch(**(parts | changed))


def order(way: Way, old: Colour, *, returning: bool = True, max_stall_ms: float = 2000) -> Order:
    return Order("20261123-7f3a", way, old, returning, max_stall_ms)


def switched(switch: Switch, asked: Order, *, limit_s: float = 60) -> Switched:
    """Try until it succeeds, as the step does: a busy host makes single attempts give up."""
    deadline = time.monotonic() + limit_s
    while True:
        try:
            return switch.run(asked)
        except Transient:
            if time.monotonic() > deadline:
                raise


def settled(settings: Settings) -> str:
    """The next look, as the step begins: whatever was left is brought to its end, `forward` or
    `back`."""
    nodes = addressed_nodes(settings, "bg_proxy")
    looker = Recovery(nodes, PgBouncer(settings), SymlinkDoor(settings))
    ends: list[str] = []

    def settle() -> bool:
        with suppress(Transient):
            found = looker.look()
            assert found is not None
            ends.append(looker.settle(found))
        return bool(ends)

    until(settle, limit_s=30, what="the attempt is settled")
    return ends[-1]
