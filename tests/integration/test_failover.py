"""A dead active server on a whole stack: what takes over, what is lost, how the dead returns."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from shared.adapters.direct_door import SymlinkDoor
from shared.adapters.embedded.child import ControlFiles
from shared.adapters.embedded.layout import Layout
from shared.adapters.node_factory import make_nodes
from shared.adapters.poolers import poolers_of
from shared.domain.environment import Colour
from shared.domain.failover import Policy
from shared.settings import FailoverSettings
from tests.support.command_line import CalledHere
from tests.support.stack import Stack, running_stack
from tests.support.wait import until
from tests.support.watched import Watched, watching
from tests.support.writers import Writers
from workers.health_monitor.failover.deed import Failover
from workers.health_monitor.failover.watch import ALERT, FailoverWatch
from workers.replicator.caretaker import Caretaker

WRITERS = 8


@dataclass
class Pair:
    stack: Stack
    watched: Watched
    caretaker: Caretaker
    watches: list[FailoverWatch] = field(default_factory=list)

    @property
    def active(self) -> Colour:
        return poolers_of(self.stack.settings).routed_to()

    @property
    def supervised(self) -> ControlFiles:
        return ControlFiles(Layout(self.stack.state_dir).supervisor)

    def watch(self, policy: Policy, *, after_s: float = 3) -> FailoverWatch:
        settings = self.stack.settings
        nodes, door = make_nodes(settings, "bg_health"), SymlinkDoor(settings)
        watch = FailoverWatch(
            nodes, Failover(nodes, poolers_of(settings), door), self.watched.book,
            FailoverSettings(policy=policy, after_s=after_s), door.routed_to,
        )  # fmt: skip
        self.watches.append(watch)
        return watch

    def sql(self, side: Colour, statement: str) -> list[tuple]:  # type: ignore[type-arg]
        with self.stack.connect(side.value) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def dies(self, side: Colour) -> None:
        """At once, as when its host is switched off, and nobody starts it again."""
        self.supervised.want(side.value, "stopped at once")
        until(lambda: self.stack.pid(side.value) is None, limit_s=20, what=f"{side} is dead")

    def looks_until_it_serves(self, watch: FailoverWatch, side: Colour) -> float:
        """Looks every second, as the thread does; seconds until a client could write there."""
        began = time.monotonic()
        while time.monotonic() - began < 60:
            look_at = time.monotonic()
            verdict = watch.look()
            if self.active is side:
                break
            time.sleep(max(0.0, 1 - (time.monotonic() - look_at)))
        else:
            raise AssertionError(f"{side} never served: {verdict}")
        self.stack.until_answers("app")
        return time.monotonic() - began

    def is_at_rest(self) -> bool:
        active = self.active
        if self.stack.pid(active.value) is None:
            return False
        rows = self.sql(active, "SELECT state FROM pg_stat_replication")
        return self.caretaker.look() and ("streaming",) in rows


@pytest.fixture
def stack() -> Iterator[Stack]:
    with running_stack() as stack:
        with stack.connect("app") as app:
            app.execute("CREATE TABLE account (id int PRIMARY KEY, balance bigint)")
            app.execute("INSERT INTO account SELECT n, 0 FROM generate_series(1, 64) AS n")
            app.execute("CREATE TABLE journal (writer int, n int, PRIMARY KEY (writer, n))")
        yield stack


@pytest.fixture
def pair(stack: Stack, tmp_path: Path) -> Iterator[Pair]:
    nodes = make_nodes(stack.settings, "bg_replicator")
    with watching(stack, tmp_path) as watched:
        pair = Pair(stack, watched, Caretaker(nodes, "app", lambda: False))
        try:
            yield pair
        finally:
            for watch in pair.watches:
                watch.close()


def written(pair: Pair) -> set[tuple[int, int]]:
    return set(pair.sql(pair.active, "SELECT writer, n FROM journal"))


def test_a_dead_server_is_taken_over_from_in_ten_seconds_and_nothing_acknowledged_is_lost(
    pair: Pair,
) -> None:
    old = pair.active
    watch = pair.watch("auto")
    watch.look()
    with Writers(pair.stack.doors["app"], WRITERS) as writers:
        writers.until_acknowledged(30 * WRITERS)
        pair.dies(old)
        took_s = pair.looks_until_it_serves(watch, old.other)
        writers.until_acknowledged(5 * WRITERS)
    lost = writers.acknowledged - written(pair)
    print(f"writable after {took_s:.1f} s; {len(writers.acknowledged)} acknowledged, "
          f"{len(lost)} lost")  # fmt: skip
    assert lost == set()
    assert took_s < 10
    assert pair.stack.doors["direct"]
    pair.stack.until_answers("direct")
    assert pair.watched.stream.types(ALERT) == ["AlertRaised"]
    assert pair.watched.hook.until(f"[critical] {ALERT}")["message"].count("took over")


def test_the_dead_server_returns_as_a_standby_and_is_never_writable(pair: Pair) -> None:
    old = pair.active
    watch = pair.watch("auto")
    watch.look()
    pair.dies(old)
    pair.looks_until_it_serves(watch, old.other)
    # Somebody starts it by hand, before anything was done for it.
    pair.supervised.want(old.value, "running")
    pair.stack.until_answers(old.value, limit_s=60)
    assert pair.sql(old, "SELECT pg_is_in_recovery()") == [(True,)]
    application = pair.stack.settings.nodes[old]
    with pytest.raises(psycopg.OperationalError, match=r"pg_hba|reject"):
        psycopg.connect(
            host=application.host, port=application.port, dbname="app", user="app",
            password=pair.stack.settings.secret("app"), connect_timeout=3,
        )  # fmt: skip
    until(pair.is_at_rest, limit_s=150, what=f"{old} is the standing standby")
    assert pair.sql(old, "SELECT pg_is_in_recovery()") == [(True,)]
    watch.look()
    assert pair.watched.stream.types(ALERT) == ["AlertRaised", "AlertCleared"]


def test_the_standby_that_was_a_dead_server_takes_over_in_its_turn(pair: Pair) -> None:
    first = pair.active
    for dead in (first, first.other):
        watch = pair.watch("auto")
        watch.look()
        pair.dies(dead)
        pair.looks_until_it_serves(watch, dead.other)
        until(pair.is_at_rest, limit_s=150, what=f"{dead} is the standing standby")


@contextmanager
def cut_off(pair: Pair) -> Iterator[None]:
    """The active side commits, and its standby hears nothing: the walsender is frozen."""
    rows = pair.sql(pair.active, "SELECT pid FROM pg_stat_replication WHERE state = 'streaming'")
    for (pid,) in rows:
        os.kill(pid, signal.SIGSTOP)
    assert rows
    yield


def test_what_was_acknowledged_and_never_sent_is_read_from_the_dead_servers_disk(
    pair: Pair,
) -> None:
    old = pair.active
    watch = pair.watch("auto")
    watch.look()
    with cut_off(pair), pair.stack.connect("app") as app:
        for n in range(50):
            app.execute("INSERT INTO journal VALUES (99, %s)", (n,))
        pair.dies(old)
    assert not pair.sql(old.other, "SELECT FROM journal WHERE writer = 99")
    pair.looks_until_it_serves(watch, old.other)
    assert {(99, n) for n in range(50)} <= written(pair)


def test_where_nobody_can_tell_what_is_missing_nothing_is_promoted_until_a_person_accepts(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old = pair.active
    watch = pair.watch("auto")
    watch.look()
    data = pair.stack.settings.nodes[old].data_dir
    assert data is not None
    with cut_off(pair), pair.stack.connect("app") as app:
        app.execute("INSERT INTO journal VALUES (98, 1)")
        pair.dies(old)
    (data / "pg_wal").rename(data / "pg_wal.gone")
    until(lambda: _raised(pair, watch), limit_s=60, what="the refusal is told")
    said = pair.watched.store.raised()[-1].sentence
    assert "nobody can tell what is missing" in said
    assert "--accept-loss" in said
    assert pair.sql(old.other, "SELECT pg_is_in_recovery()") == [(True,)]
    pair.supervised.want(old.value, "stopped at once")
    named = {"BLUEGREEN_STATE_DIR": str(pair.stack.state_dir)}
    bluegreen = CalledHere(tmp_path, named, monkeypatch, capsys)
    assert bluegreen("failover").code == 3
    assert bluegreen("failover", "--accept-loss").code == 2
    told = bluegreen("failover", "--accept-loss", "--yes", "--json")
    assert (told.code, told.body["missing"], told.body["new"]) == (0, None, old.other.value)
    assert pair.active is old.other
    pair.stack.until_answers("app")


def _raised(pair: Pair, watch: FailoverWatch) -> bool:
    watch.look()
    time.sleep(0.5)
    return pair.watched.stream.types(ALERT) == ["AlertRaised"]


def test_with_ask_a_person_is_told_and_decides(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old = pair.active
    named = {"BLUEGREEN_STATE_DIR": str(pair.stack.state_dir)}
    bluegreen = CalledHere(tmp_path, named, monkeypatch, capsys)
    alive = bluegreen("failover")
    assert (alive.code, "nothing was touched" in alive.err) == (3, True)
    watch = pair.watch("ask")
    watch.look()
    pair.dies(old)
    until(lambda: _raised(pair, watch), limit_s=60, what="a person is told")
    assert "`bluegreen failover`" in pair.watched.store.raised()[-1].sentence
    assert pair.active is old
    assert pair.sql(old.other, "SELECT pg_is_in_recovery()") == [(True,)]
    told = bluegreen("failover", "--json")
    assert (told.code, told.body["missing"]) == (0, [])
    assert pair.active is old.other


def test_where_another_manager_is_seen_we_do_nothing(pair: Pair) -> None:
    old = pair.active
    node = pair.stack.settings.nodes[old.other]
    watch = pair.watch("auto")
    watch.look()
    with psycopg.connect(
        host=node.host, port=node.port, dbname="app", user="postgres",
        password=pair.stack.settings.secret("postgres"), application_name="Patroni heartbeat",
    ):  # fmt: skip
        pair.dies(old)
        try:
            until(lambda: _raised(pair, watch), limit_s=60, what="the refusal is told")
            assert "Patroni looks after it" in pair.watched.store.raised()[-1].sentence
            assert pair.sql(old.other, "SELECT pg_is_in_recovery()") == [(True,)]
        finally:
            pair.supervised.want(old.value, "running")
    pair.stack.until_answers("app", limit_s=60)
    assert pair.active is old


def test_a_server_that_crashes_and_comes_back_is_left_alone(pair: Pair) -> None:
    """As long as that takes less than `after_s`; here it is for a busy machine."""
    old = pair.active
    watch = pair.watch("auto", after_s=20)
    watch.look()
    pair.stack.kill(old.value)
    deadline = time.monotonic() + 60
    while watch.look().says != f"{old} answers, or has not been silent for long" or (
        pair.stack.pid(old.value) is None
    ):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    pair.stack.until_answers("app", limit_s=60)
    assert pair.active is old
    assert pair.sql(old.other, "SELECT pg_is_in_recovery()") == [(True,)]


def test_a_takeover_that_was_left_half_done_is_finished(pair: Pair) -> None:
    """The monitor died between the promotion and the doors."""
    old = pair.active
    watch = pair.watch("auto")
    watch.look()
    pair.dies(old)
    pair.sql(old.other, "SELECT bluegreen.promote(30)")
    assert pair.active is old
    pair.looks_until_it_serves(watch, old.other)
    with pair.stack.connect("app") as app:
        app.execute("INSERT INTO journal VALUES (97, 1)")
