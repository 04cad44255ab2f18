"""When nothing is promoted by itself: a person decides, another manager, or the server is back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.support.command_line import CalledHere
from tests.support.failover_pair import FailoverPair, failover_pair
from tests.support.wait import until


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[FailoverPair]:
    with failover_pair(tmp_path) as pair:
        yield pair


def test_where_nobody_can_tell_what_is_missing_nothing_is_promoted_until_a_person_accepts(
    pair: FailoverPair,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    old = pair.active
    watch = pair.watch("auto")
    watch.look()
    pair.cut_off()
    with pair.stack.connect("app") as app:
        app.execute("INSERT INTO journal VALUES (98, 1)")
        pair.dies(old)
    pair.loses_its_wal(old)
    until(lambda: pair.is_told(watch), limit_s=60, what="the refusal is told")
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
    assert (98, 1) not in pair.written()
    until(pair.is_at_rest, limit_s=150, what=f"{old} is copied anew and follows")
    assert pair.sql(old, "SELECT 1 FROM journal WHERE writer = 98") == []


def test_with_ask_a_person_is_told_and_decides(
    pair: FailoverPair,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    old = pair.active
    named = {"BLUEGREEN_STATE_DIR": str(pair.stack.state_dir)}
    bluegreen = CalledHere(tmp_path, named, monkeypatch, capsys)
    alive = bluegreen("failover")
    assert (alive.code, "nothing was touched" in alive.err) == (3, True)
    watch = pair.watch("ask")
    watch.look()
    pair.dies(old)
    until(lambda: pair.is_told(watch), limit_s=60, what="a person is told")
    assert "`bluegreen failover`" in pair.watched.store.raised()[-1].sentence
    assert pair.active is old
    assert pair.sql(old.other, "SELECT pg_is_in_recovery()") == [(True,)]
    told = bluegreen("failover", "--json")
    assert (told.code, told.body["missing"]) == (0, [])
    assert pair.active is old.other
    pair.stack.until_answers("app")
    pair.stack.until_answers("direct")


@contextmanager
def patroni(pair: FailoverPair) -> Iterator[str]:
    node = pair.stack.settings.nodes[pair.active.other]
    with psycopg.connect(
        host=node.host, port=node.port, dbname="app", user="postgres",
        password=pair.stack.settings.secret("postgres"), application_name="Patroni heartbeat",
    ):  # fmt: skip
        yield "Patroni looks after it"


@contextmanager
def managed_service(pair: FailoverPair) -> Iterator[str]:
    pair.sql(pair.active, "CREATE ROLE rds_superuser NOLOGIN")
    yield "a managed service (rds_superuser) looks after it"


@pytest.mark.parametrize("manager", [patroni, managed_service])
def test_where_another_manager_is_seen_we_do_nothing(
    pair: FailoverPair, manager: Callable[[FailoverPair], AbstractContextManager[str]]
) -> None:
    old = pair.active
    watch = pair.watch("auto")
    with manager(pair) as named:
        watch.look()
        pair.dies(old)
        until(lambda: pair.is_told(watch), limit_s=60, what="the refusal is told")
        assert named in pair.watched.store.raised()[-1].sentence
        assert pair.sql(old.other, "SELECT pg_is_in_recovery()") == [(True,)]
        pair.supervised.want(old.value, "running")
    pair.stack.until_answers("app", limit_s=60)
    assert pair.active is old


def test_a_server_that_crashes_and_comes_back_is_left_alone(pair: FailoverPair) -> None:
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
