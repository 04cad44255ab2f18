"""Two proxies before one pair: held together, led together, and one of them dies or is frozen."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import pytest

from shared.adapters.pooler.poolers import Poolers, poolers_of
from shared.adapters.pooler.route_file import route_text
from shared.domain.environment import Colour
from shared.domain.errors import Transient
from shared.settings import PoolerSettings, Settings
from tests.support.cluster import free_port
from tests.support.cutover_switch import order, switch_of, switched
from tests.support.cutover_world import World, cutover_world
from tests.support.pooler import PoolerProcess, pgbouncer
from tests.support.roles import DATABASE
from tests.support.wait import until
from tests.support.writers import Writers
from workers.proxy_agent.attempt import Way
from workers.proxy_agent.companions import watchdogs
from workers.proxy_agent.switch import Switch


@dataclass
class Two:
    """A world with a second proxy."""

    world: World
    second: PoolerProcess
    settings: Settings

    @property
    def second_dsn(self) -> str:
        return f"host=127.0.0.1 port={self.second.port} dbname={DATABASE} user=app"

    def side_of(self, dsn: str) -> str:
        with psycopg.connect(dsn, connect_timeout=5) as client:
            row = client.execute("SELECT current_setting('cluster_name')").fetchone()
        assert row is not None
        return str(row[0]).removeprefix("bluegreen-")


@pytest.fixture(scope="module")
def two() -> Iterator[Two]:
    with cutover_world(15) as world:
        place = world.root / "second"
        place.mkdir()
        place.chmod(0o755)
        address = PoolerSettings(host="127.0.0.1", port=free_port(), route_file=place / "route.ini")
        address.route_file.write_text(route_text(DATABASE, world.settings.nodes[Colour.BLUE]))
        with pgbouncer(place, address.port, address.route_file) as second:
            settings = world.settings.model_copy(update={"further_poolers": (address,)})
            yield Two(world, second, settings)


@pytest.fixture
def pooler(two: Two) -> Iterator[Poolers]:
    pooler = poolers_of(two.settings)
    assert isinstance(pooler, Poolers)
    yield pooler
    pooler.route_to(Colour.BLUE)
    pooler.resume()


def test_clients_of_both_are_held_and_go_on(two: Two, pooler: Poolers) -> None:
    with (
        Writers(two.world.application_dsn, count=4) as here,
        Writers(two.second_dsn, count=4, first=10_000) as there,
    ):
        with pooler.opened() as opened:
            opened.pause(limit_s=5)
            until(lambda: nothing_more_of(here, there), limit_s=20, what="nobody goes on")
            opened.resume()
        here.until_acknowledged(20)
        there.until_acknowledged(20)
    assert here.failed == there.failed == []


def nothing_more_of(*writers: Writers) -> bool:
    """In 0.2 s. What was answered before the pause is written down a moment later."""
    before = [len(each.acknowledged) for each in writers]
    time.sleep(0.2)
    return [len(each.acknowledged) for each in writers] == before


def test_one_that_cannot_pause_lets_all_go_on(two: Two, pooler: Poolers) -> None:
    with psycopg.connect(two.second_dsn) as slow:
        slow.execute("SELECT 1")  # a transaction stays open
        with pytest.raises(Transient, match="every pooler goes on"):
            pooler.pause(limit_s=0.3)
        assert not pooler.is_paused()
        assert two.side_of(two.world.application_dsn) == "blue"


@contextmanager
def away(second: PoolerProcess) -> Iterator[None]:
    second.end(signal.SIGKILL)
    try:
        yield
    finally:
        second.start()


def test_while_one_is_away_none_is_paused(two: Two, pooler: Poolers) -> None:
    with away(two.second):
        with pytest.raises(Transient, match="does not answer"):
            pooler.pause(limit_s=0.5)
        assert not pooler.is_paused()


def test_one_that_died_in_the_pause_comes_up_on_the_new_side(two: Two, pooler: Poolers) -> None:
    with pooler.opened() as opened:
        opened.pause(limit_s=5)
        with two.world.admin(Colour.GREEN) as green:
            green.execute("SELECT bluegreen.lift()")
        with away(two.second):
            opened.route_to(Colour.GREEN)
            opened.resume()
            assert two.side_of(two.world.application_dsn) == "green"
        assert two.side_of(two.second_dsn) == "green"
        opened.route_to(Colour.BLUE)
    with two.world.admin(Colour.GREEN) as green:
        green.execute("SELECT bluegreen.fence()")
    assert two.side_of(two.second_dsn) == "blue"


def test_one_that_is_frozen_is_not_resumed_towards_the_old_side(two: Two, pooler: Poolers) -> None:
    with pooler.opened() as opened:
        opened.pause(limit_s=5)
        assert two.second.process is not None
        two.second.process.send_signal(signal.SIGSTOP)
        try:
            opened.route_to(Colour.GREEN)
            with pytest.raises(Transient, match="not resumed"):
                opened.resume()
        finally:
            two.second.process.send_signal(signal.SIGCONT)
    row = _databases(two.second)
    assert row["paused"] == "1"
    pooler.route_to(Colour.BLUE)
    pooler.resume()
    assert two.side_of(two.second_dsn) == "blue"


def _databases(pooler: PoolerProcess) -> dict[str, str]:
    with pooler.console() as console:
        result = console.pgconn.exec_(b"SHOW DATABASES")
        names = [str(result.fname(n), "ascii") for n in range(result.nfields)]  # type: ignore[arg-type]
        for row in range(result.ntuples):
            line = {n: str(result.get_value(row, at) or b"", "utf8") for at, n in enumerate(names)}
            if line["name"] == DATABASE:
                return line
    raise AssertionError("no such database")


def test_a_cutover_takes_the_clients_of_both_along(two: Two, pooler: Poolers) -> None:
    switch = switch_of(two.world, pooler=poolers_of(two.settings), watchdog=watchdogs(two.settings))
    before = two.world.journal(Colour.BLUE)
    with (
        Writers(two.world.application_dsn, count=4, first=20_000) as here,
        Writers(two.second_dsn, count=4, first=30_000) as there,
    ):
        switched(switch, order(Way.FORWARD, Colour.BLUE))
        here.until_acknowledged(20)
        there.until_acknowledged(20)
        assert two.side_of(two.second_dsn) == "green"
        switched(switch, order(Way.BACK, Colour.GREEN))
    assert here.failed == there.failed == []
    after = two.world.journal(Colour.BLUE) - before
    assert after == here.acknowledged | there.acknowledged
    until(lambda: two.side_of(two.second_dsn) == "blue", limit_s=20, what="both lead back")


@pytest.mark.parametrize("joins", ["after empty", "after commit", "when all is over"])
def test_one_that_dies_in_a_cutover_joins_again_on_the_side_that_serves(
    two: Two, pooler: Poolers, joins: str
) -> None:
    """Its own clients break with it. It comes up unpaused, on whatever its file says: before the
    route is written that is the old side, which lets nobody in."""
    before = two.world.journal(Colour.BLUE)

    def at(point: str) -> None:
        if point == "after pause":
            two.second.end(signal.SIGKILL)
        elif point == joins:
            two.second.start()
            if joins == "after empty":
                with pytest.raises(psycopg.OperationalError):
                    two.side_of(two.second_dsn)

    with Writers(two.world.application_dsn, count=4, first=len(before) + 40_000) as here:
        switch = switch_of(
            two.world, pooler=poolers_of(two.settings), watchdog=watchdogs(two.settings), at=at
        )
        until(lambda: gone_forward(two, switch), limit_s=60, what="a cutover without the second")
        here.until_acknowledged(20)
        until(lambda: _leads_to_green(two), limit_s=10, what="the second one leads to green")
        switched(
            switch_of(two.world, pooler=poolers_of(two.settings), watchdog=watchdogs(two.settings)),
            order(Way.BACK, Colour.GREEN),
        )
    assert here.failed == []
    assert two.world.journal(Colour.BLUE) - before == here.acknowledged


def gone_forward(two: Two, switch: Switch) -> bool:
    """One try, as a busy host makes single attempts give up. Whichever way it ended, the second
    one is there again."""
    try:
        switch.run(order(Way.FORWARD, Colour.BLUE))
    except Transient:
        return False
    finally:
        if not two.second.runs:
            two.second.start()
    return True


def _leads_to_green(two: Two) -> bool:
    """A login that the fenced side refused makes the pooler wait a second before the next."""
    try:
        return two.side_of(two.second_dsn) == "green"
    except psycopg.OperationalError:
        return False
