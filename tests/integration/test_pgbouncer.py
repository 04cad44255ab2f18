"""The pooler's port against a real PgBouncer: it holds clients, gives up in time, and routes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from shared.adapters.doors.direct_door import SymlinkDoor
from shared.adapters.pooler.pgbouncer import PgBouncer
from shared.adapters.pooler.route_file import RouteFile
from shared.domain.environment import Colour
from shared.domain.errors import Transient
from tests.support.cutover_world import World, cutover_world
from tests.support.wait import until


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with cutover_world(15) as world:
        yield world


@pytest.fixture
def pooler(world: World) -> Iterator[PgBouncer]:
    pooler = PgBouncer(world.settings)
    yield pooler
    pooler.resume()
    pooler.route_to(Colour.BLUE)


def test_a_paused_pool_holds_a_client_and_resume_lets_it_go_on(
    world: World, pooler: PgBouncer
) -> None:
    with psycopg.connect(world.application_dsn, autocommit=True) as client:
        pooler.pause(limit_s=2)
        assert pooler.is_paused()
        waiting = threading.Thread(target=client.execute, args=("SELECT 1",))
        waiting.start()
        waiting.join(0.1)
        assert waiting.is_alive()
        pooler.resume()
        waiting.join(5)
        assert not waiting.is_alive()
        assert not pooler.is_paused()


def test_a_pause_gives_up_in_time_and_harms_nobody(world: World, pooler: PgBouncer) -> None:
    with psycopg.connect(world.application_dsn) as slow:
        slow.execute("SELECT 1")  # a transaction stays open
        began = time.monotonic()
        with pytest.raises(Transient, match="clients go on"):
            pooler.pause(limit_s=0.2)
        assert 0.2 <= time.monotonic() - began < 1.0
        assert not pooler.is_paused()
        slow.execute("SELECT 1")
        slow.commit()


def test_a_resume_of_a_pool_that_is_not_paused_is_fine(pooler: PgBouncer) -> None:
    pooler.resume()
    pooler.resume()


def test_a_second_pause_is_fine(pooler: PgBouncer) -> None:
    pooler.pause(limit_s=2)
    pooler.pause(limit_s=2)
    assert pooler.is_paused()


def test_a_route_is_on_disk_and_in_the_running_pooler(world: World, pooler: PgBouncer) -> None:
    assert pooler.routed_to() is Colour.BLUE
    with pooler.opened() as opened:
        opened.route_to(Colour.GREEN)
        assert opened.routed_to() is Colour.GREEN
    port = str(world.servers[Colour.GREEN].port)
    assert port in world.settings.pooler.route_file.read_text()


def test_a_route_in_place_that_was_not_loaded_is_loaded_and_not_written_again(
    world: World, pooler: PgBouncer
) -> None:
    """As whoever died between the two leaves it."""
    file = RouteFile(world.settings, world.settings.pooler.route_file)
    file.put_in_place(Colour.GREEN)
    written = file.path.stat().st_ino
    assert pooler.routed_to() is Colour.BLUE
    pooler.route_to(Colour.GREEN)
    assert pooler.routed_to() is Colour.GREEN
    assert file.path.stat().st_ino == written


def test_a_pooler_that_does_not_answer_is_worth_another_try(
    world: World, pooler: PgBouncer
) -> None:
    world.pooler.end()
    try:
        with pytest.raises(Transient, match="admin console"):
            pooler.is_paused()
    finally:
        world.pooler.start()


def test_the_direct_door_leads_where_its_link_points(world: World) -> None:
    door = SymlinkDoor(world.settings)
    assert door.routed_to() is Colour.BLUE
    door.route_to(Colour.GREEN)
    assert door.routed_to() is Colour.GREEN
    door.route_to(Colour.BLUE)


def test_a_new_login_in_the_pause_waits_and_succeeds(world: World, pooler: PgBouncer) -> None:
    pooler.pause(limit_s=2)
    answers: list[object] = []

    def login() -> None:
        with psycopg.connect(world.application_dsn) as client:
            answers.append(client.execute("SELECT 1").fetchone())

    logins = [threading.Thread(target=login) for _ in range(10)]
    for one in logins:
        one.start()
    pooler.resume()
    for one in logins:
        one.join(10)
    until(lambda: answers == [(1,)] * 10, limit_s=20, what="all logins answered")


def test_a_narrow_pool_uses_few_connections_until_it_is_widened(
    world: World, pooler: PgBouncer
) -> None:
    """Around a pause each connection costs the clients time (shared/narrowing.py)."""
    with Crowd(world.application_dsn, 12) as crowd, pooler.opened() as opened:
        crowd.until_each_has_its_own(world)
        opened.narrow(4)
        until(lambda: connections(world) <= 4, limit_s=20, what="surplus connections are ended")
        crowd.all_at_once()
        assert connections(world) <= 4, "the others waited their turn"
        assert opened.width() == 4
        opened.widen()
        crowd.until_each_has_its_own(world)


def connections(world: World) -> int:
    found = world.value(Colour.BLUE, "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'")
    return int(str(found))


class Crowd:
    """Clients that all run a statement of 0.1 s at the same moment."""

    def __init__(self, dsn: str, count: int) -> None:
        self._clients = [psycopg.connect(dsn, autocommit=True) for _ in range(count)]
        self._threads = ThreadPoolExecutor(count)

    def __enter__(self) -> Crowd:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown()
        for client in self._clients:
            client.close()

    def all_at_once(self) -> None:
        list(self._threads.map(lambda it: it.execute("SELECT pg_sleep(0.1)"), self._clients))

    def until_each_has_its_own(self, world: World) -> None:
        """The pooler logs in one connection after the other: on a busy host 0.1 s are too short."""
        count = len(self._clients)

        def at_once() -> bool:
            self.all_at_once()
            return connections(world) == count

        until(at_once, limit_s=20, what=f"{count} connections for {count} clients at once")
