"""The watch and the deed over servers in memory: order of the acts, and what is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from shared.domain.environment import Colour
from shared.domain.errors import Refused, Transient
from shared.monitor_settings import FailoverSettings
from shared.ports import Commit
from workers.health_monitor.failover.deed import SQL, Failover
from workers.health_monitor.failover.watch import ALERT, FailoverWatch

ACTS = list[str]


@dataclass
class World:
    """Blue serves, green follows; the acts that were done, in order."""

    acts: ACTS = field(default_factory=list)
    dead: set[Colour] = field(default_factory=set)
    promoted: bool = False
    replayed: str = "0/100"
    commits: Sequence[Commit] | None = ()
    reads_on: bool = True
    manager: str | None = None
    led: Colour | None = Colour.BLUE
    now_s: float = 0.0
    code: str = "08000"
    """What a login at a dead one fails with."""


@dataclass
class FakeDriver:
    """Driver and fence of one server."""

    world: World
    colour: Colour

    def end(self, *, limit_s: float) -> None:
        self.world.acts.append(f"end {self.colour}")
        self.world.dead.add(self.colour)

    def commits_after(self, lsn: str) -> Sequence[Commit] | None:
        return self.world.commits

    def restore_command(self) -> str:
        return "cp"

    def set_access(self, level: str) -> None:
        self.world.acts.append(f"access {self.colour} {level}")

    def set_recovery(self, settings: Mapping[str, str], *, standby: bool) -> None:
        reads_on = " and reads on" if "restore_command" in settings else ""
        self.world.acts.append(f"{self.colour} is to follow{reads_on}")
        if reads_on and self.world.reads_on:
            self.world.replayed = "0/999"

    def clear_recovery(self) -> None:
        self.world.acts.append(f"{self.colour} follows nobody")

    def reload(self) -> None: ...

    def start(self, *, limit_s: float) -> None:
        raise Transient("not yet")


@dataclass
class FakeSession:
    world: World
    colour: Colour

    def value(self, sql: str, params: Any = None) -> Any:
        if self.colour in self.world.dead:
            raise Transient("refused", code=self.world.code)
        if "pg_is_in_recovery" in sql:
            return self.colour is Colour.GREEN and not self.world.promoted
        if "promote" in sql:
            self.world.acts.append("promote green")
            self.world.promoted = True
            return True
        if "replay_lsn" in sql:
            return self.world.replayed
        if sql == SQL["ha_manager"]:
            return self.world.manager
        return True

    def row(self, sql: str, params: Any = None) -> Any:
        if self.colour in self.world.dead:
            raise Transient("refused", code=self.world.code)
        if sql == SQL["of_active"]:
            return (False, False, None)
        lost = Colour.BLUE in self.world.dead
        return (not self.world.promoted, False, self.world.promoted, None if lost else 0.1)

    def execute(self, sql: str, params: Any = None) -> int:
        self.world.acts.append("note")
        return 1

    def cut(self) -> None: ...


@dataclass
class FakeNode:
    world: World
    colour: Colour
    driver: FakeDriver

    @contextmanager
    def session(self, **_: Any) -> Iterator[FakeSession]:
        if self.colour in self.world.dead:
            raise Transient("refused", code=self.world.code)
        yield FakeSession(self.world, self.colour)

    def replication_conninfo(self, *, database: str | None) -> str:
        return f"host={self.colour}"


@dataclass
class FakeDoors:
    world: World
    name: str

    def route_to(self, colour: Colour, *, flush: bool = True) -> None:
        self.world.acts.append(f"{self.name} to {colour}")
        self.world.led = colour

    def resume(self) -> None:
        self.world.acts.append("resume")


@dataclass
class Book:
    told: list[str] = field(default_factory=list)

    def raise_alert(self, name: str, severity: str, sentence: str, detail: Any = None) -> None:
        assert (name, severity) == (ALERT, "critical")
        self.told.append(sentence)

    def clear_alert(self, name: str, sentence: str) -> None: ...


def watch_over(world: World, policy: str = "auto") -> tuple[FailoverWatch, Book]:
    nodes: Any = {c: FakeNode(world, c, FakeDriver(world, c)) for c in Colour}
    book: Any = Book()
    pooler: Any = FakeDoors(world, "pooler")
    door: Any = FakeDoors(world, "door")

    def clock() -> float:
        world.now_s += 0.5
        return world.now_s

    settings = FailoverSettings(policy=policy)  # type: ignore[arg-type]

    def fast_clock() -> float:
        return 100 * clock()

    failover = Failover(nodes, pooler, door, fast_clock)
    return FailoverWatch(nodes, failover, book, settings, lambda: world.led, clock), book


def looks(watch: FailoverWatch, number: int = 12) -> list[str]:
    return [watch.look().act for _ in range(number)]


@pytest.mark.parametrize("code", ["57P03", "08001"])
def test_a_server_that_only_starts_is_left_alone_and_one_that_is_dead_is_not(code: str) -> None:
    """Its standby has lost the stream either way: what it says at the login tells them apart."""
    world = World()
    watch, _ = watch_over(world)
    looks(watch, 3)
    world.dead.add(Colour.BLUE)
    world.code = code
    assert set(looks(watch)) == ({"wait"} if code == "57P03" else {"wait", "promote"})


def test_a_server_that_lets_nobody_in_is_not_silent() -> None:
    world = World(code="53300")
    watch, _ = watch_over(world)
    looks(watch, 3)
    world.dead.add(Colour.BLUE)
    for _ in range(12):
        with pytest.raises(Transient):
            watch.look()
    world.code = "08001"
    assert watch.look().act == "wait"


def test_fence_first_then_promote_then_both_doors() -> None:
    world = World()
    watch, book = watch_over(world)
    assert set(looks(watch, 3)) == {"wait"}
    world.dead.add(Colour.BLUE)
    looks(watch)
    assert world.acts == [
        "end blue", "access blue closed", "blue is to follow", "promote green",
        "green follows nobody", "note", "pooler to green", "door to green", "resume",
    ]  # fmt: skip
    assert "nothing acknowledged is missing" in book.told[-1]


def test_what_was_never_sent_is_read_before_anything_is_promoted() -> None:
    world = World(commits=(Commit("0/200", "now"),))
    watch, _ = watch_over(world)
    world.dead.add(Colour.BLUE)
    looks(watch)
    assert world.acts.index("green is to follow and reads on") < world.acts.index("promote green")


@pytest.mark.parametrize(
    ("commits", "says"),
    [(None, "nobody can tell"), ((Commit("0/200", "2026"),), "0/200 (2026)")],
)
def test_with_a_commit_missing_nothing_is_promoted_and_the_dead_may_come_back(
    commits: Sequence[Commit] | None, says: str
) -> None:
    world = World(commits=commits, reads_on=False)
    watch, book = watch_over(world)
    world.dead.add(Colour.BLUE)
    looks(watch)
    assert "promote green" not in world.acts
    assert world.acts[-2:] == ["blue follows nobody", "access blue open"]
    assert says in book.told[-1]
    with pytest.raises(Refused):
        watch.failover.run(Colour.BLUE)
    told = watch.failover.run(Colour.BLUE, accept_loss=True)
    assert told.missing == (None if commits is None else list(commits))
    assert world.promoted


def test_a_synchronous_standby_needs_no_disk() -> None:
    world = World(commits=None)
    watch, _ = watch_over(world)
    assert watch.failover.run(Colour.BLUE, was_synchronous=True).missing == ()


def test_another_manager_or_a_person_that_decides_leaves_all_as_it_is() -> None:
    for policy, manager in (("ask", None), ("auto", "Patroni")):
        world = World(manager=manager)
        watch, book = watch_over(world, policy)
        world.dead.add(Colour.BLUE)
        looks(watch)
        assert world.acts == []
        assert book.told
