"""The pooler's port against a real PgBouncer: it holds clients, gives up in time, and routes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from shared.adapters.direct_door import SymlinkDoor
from shared.adapters.pgbouncer import PgBouncer
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
    until(lambda: answers == [(1,)] * 10, limit_s=5, what="all logins answered")
