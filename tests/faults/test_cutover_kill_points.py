"""The cutover's process is killed or frozen at every named point of its pause.

After each fault exactly one side serves, nothing acknowledged is lost, nobody's transaction failed,
and nobody waited much longer than `--max-stall`. One world for all: each case begins on the side
where the one before ended.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from shared.adapters.doors.direct_door import SymlinkDoor
from shared.adapters.pooler.pgbouncer import PgBouncer
from shared.domain.environment import Colour
from tests.support.cutover_process import CutoverProcess
from tests.support.cutover_switch import order, settled, switch_of, switched
from tests.support.cutover_world import World, cutover_world
from tests.support.pooler import POOL_SIZE
from tests.support.two_sides import TABLE, TwoSides
from tests.support.wait import until
from tests.support.writers import Writers
from workers.proxy_agent.attempt import Way

pytestmark = pytest.mark.faults
MAX_STALL_MS = 1000
NOISE_MS = 1000
"""What a host that runs other tests may add; figures of a quiet one are in docs/cutover.md."""
POINTS = (
    "before pause", "after pause", "after hold_door", "after fence", "after empty", "after marker",
    "after catch_up", "after prepare_new", "before commit", "after commit", "after consent",
    "after route", "after door", "after resume",
)  # fmt: skip
COMMITTED = POINTS[POINTS.index("after commit") :]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with cutover_world(15) as world:
        for colour in Colour:
            with world.admin(colour) as admin:
                admin.execute(TABLE)
                admin.execute("GRANT ALL ON probe_of_sides, probe_of_sides_id_seq TO app")
        yield world


def serving(world: World) -> Colour:
    return PgBouncer(world.settings).routed_to()


@dataclass
class Fault:
    world: World
    old: Colour
    writers: Writers

    def begin(self, point: str, number: signal.Signals) -> CutoverProcess:
        way = Way.FORWARD if self.old is Colour.BLUE else Way.BACK
        asked = order(way, self.old, max_stall_ms=MAX_STALL_MS)
        return CutoverProcess.start(self.world.settings, asked, point=point, number=number)


@contextmanager
def faulted(world: World) -> Iterator[Fault]:
    """Writers and probes around the fault; the laws are asked behind it."""
    old = serving(world)
    before = world.journal(old)
    with (
        TwoSides({str(colour): world.application_at(colour) for colour in Colour}) as sides,
        Writers(world.application_dsn, count=4, first=len(before)) as writers,
    ):
        yield Fault(world, old, writers)
        writers.until_acknowledged(40)
    assert writers.failed == []
    assert world.journal(serving(world)) - before == writers.acknowledged
    assert sides.turns() in ([str(old)], [str(old), str(serving(world))])
    assert writers.longest_ms() < MAX_STALL_MS + 250 + NOISE_MS
    pooler = PgBouncer(world.settings)
    assert not pooler.is_paused()
    until(lambda: pooler.width() == POOL_SIZE, limit_s=20, what="the pool is as wide as before")
    assert SymlinkDoor(world.settings).routed_to() is serving(world)


def test_the_points_are_all_there_are(world: World) -> None:
    """A new phase that no fault is tried in is found here."""
    seen: list[str] = []
    switched(switch_of(world, at=seen.append), order(*_next_way(world)))
    assert {point.split()[1] for point in seen} == {point.split()[1] for point in POINTS} | {
        "prepare_old"
    }


def _next_way(world: World) -> tuple[Way, Colour]:
    old = serving(world)
    return (Way.FORWARD if old is Colour.BLUE else Way.BACK), old


@pytest.mark.parametrize("point", POINTS)
def test_killed_there_the_watchdog_ends_the_pause(world: World, point: str) -> None:
    with faulted(world) as fault:
        process = fault.begin(point, signal.SIGKILL)
        assert process.end() == "killed"
        end = settled(world.settings)
        assert end == ("forward" if point in COMMITTED else "back")
        assert serving(world) is (fault.old.other if end == "forward" else fault.old)


@pytest.mark.parametrize("point", POINTS)
def test_frozen_there_for_long_it_changes_nothing_when_it_wakes(world: World, point: str) -> None:
    with faulted(world) as fault:
        process = fault.begin(point, signal.SIGSTOP)
        process.until_stopped()
        time.sleep(3)
        fault.writers.until_acknowledged(10)
        serves = serving(world)
        process.wake()
        said = process.end()
        assert serving(world) is serves
        assert (said == "switched") == (point in COMMITTED), said
        assert settled(world.settings) == ("forward" if point in COMMITTED else "back")


@pytest.mark.slow
@pytest.mark.parametrize("point", ["after fence", "before commit", "after commit"])
def test_frozen_there_for_a_minute_it_changes_nothing_when_it_wakes(
    world: World, point: str
) -> None:
    with faulted(world) as fault:
        process = fault.begin(point, signal.SIGSTOP)
        process.until_stopped()
        time.sleep(60)
        fault.writers.until_acknowledged(10)
        serves = serving(world)
        process.wake()
        process.end()
        assert serving(world) is serves
        assert settled(world.settings) == ("forward" if point in COMMITTED else "back")


@pytest.mark.parametrize("point", POINTS[1::3])
def test_frozen_there_for_a_moment_it_goes_on(world: World, point: str) -> None:
    with faulted(world) as fault:
        process = fault.begin(point, signal.SIGSTOP)
        process.until_stopped()
        time.sleep(0.1)
        process.wake()
        said = process.end()
        assert settled(world.settings) == ("forward" if said == "switched" else "back")


@pytest.mark.parametrize("point", ["after fence", "after prepare_new", "after commit"])
def test_with_the_watchdog_frozen_the_cutover_goes_on(world: World, point: str) -> None:
    with faulted(world) as fault:
        process = fault.begin(point, signal.SIGSTOP)
        process.until_stopped()
        watchdogs = process.watchdogs()
        assert watchdogs
        for pid in watchdogs:
            os.kill(pid, signal.SIGSTOP)
        process.wake()
        said = process.end()
        assert settled(world.settings) == ("forward" if said == "switched" else "back")


@pytest.mark.parametrize(
    "point", ["after pause", "after empty", "after prepare_new", "after commit"]
)
def test_with_both_dead_the_next_look_settles_it(world: World, point: str) -> None:
    with faulted(world) as fault:
        process = fault.begin(point, signal.SIGSTOP)
        process.until_stopped()
        for pid in process.watchdogs():
            os.kill(pid, signal.SIGKILL)
        process.kill()
        process.end()
        assert settled(world.settings) == ("forward" if point in COMMITTED else "back")
