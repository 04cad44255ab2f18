"""A pair and its doors, with traffic that crosses to the other side as often as a test asks for it.

`shape` is a table whose columns differ on the two sides.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

import psycopg

from shared.adapters.pooler.pgbouncer import PgBouncer
from shared.domain.environment import Colour
from tests.support.cutover_switch import order, switch_of, switched
from tests.support.cutover_world import World, cutover_world
from tests.support.direct_nginx import DirectNginx, direct_nginx
from tests.support.wait import until
from workers.proxy_agent.attempt import Way
from workers.proxy_agent.switch import Order, Switched

MORE = """
CREATE TABLE shape (id int PRIMARY KEY, size int);
INSERT INTO shape SELECT n, n FROM generate_series(1, 50) AS n;
CREATE TABLE batch (id bigserial PRIMARY KEY, n int NOT NULL);
ALTER TABLE shape OWNER TO app; ALTER TABLE batch OWNER TO app;
"""
ON_GREEN = """
ALTER TABLE shape ALTER size TYPE text USING 'size ' || size, ADD colour text DEFAULT 'red'
"""
LONG_STALL_MS = 5000


@dataclass
class Doors:
    world: World
    direct: DirectNginx

    @property
    def serving(self) -> Colour:
        return PgBouncer(self.world.settings).routed_to()

    def cross(
        self, at: Callable[[str], None] = lambda _: None, *, max_stall_ms: float = LONG_STALL_MS
    ) -> Switched:
        """Take traffic to the other side, with tries as the step has them."""
        return switched(switch_of(self.world, at=at), self.asked(max_stall_ms))

    def asked(self, max_stall_ms: float, on_slow: Literal["wait", "cancel"] = "wait") -> Order:
        old = self.serving
        way = Way.FORWARD if old is Colour.BLUE else Way.BACK
        return replace(order(way, old, max_stall_ms=max_stall_ms), on_slow_transaction=on_slow)

    def pooled(self, **more: Any) -> psycopg.Connection:
        return psycopg.connect(self.world.application_dsn, autocommit=True, **more)


@contextmanager
def crossing() -> Iterator[Doors]:
    with cutover_world(18, more=MORE, tables="account, journal, batch") as world:
        with world.admin(Colour.GREEN) as green:
            green.execute(ON_GREEN)
        with direct_nginx(world.settings) as direct:
            yield Doors(world, direct)


def at_work(doors: Doors, work: Callable[[], object]) -> int:
    """Repeat the work before, during and after a change of sides; how often it was done."""
    stop, done = threading.Event(), []

    def repeat() -> None:
        while not stop.is_set():
            work()
            done.append(1)

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(repeat)
        try:
            _until_done(running, done, 5)
            doors.cross()
            _until_done(running, done, len(done) + 5)
        finally:
            stop.set()
        running.result()
    return len(done)


def _until_done(running: Any, done: list[int], count: int) -> None:
    until(
        lambda: len(done) >= count or running.done(),
        limit_s=30, what=f"the work done {count} times",
    )  # fmt: skip
