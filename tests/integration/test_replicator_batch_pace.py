"""Batches make way: for a lock, for the standby, for an application that slows down, by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.ports import Pending, PoolTraffic
from tests.support.batched_table import CHANGED, ONCE_MORE, ROWS, WRONG, batched_table
from tests.support.fake_pool import CountingPool
from tests.support.pair import Pair
from tests.support.safe_file import applying, safe
from tests.support.sides import BLUE, GREEN
from tests.support.steps import done
from workers.replicator import batches, pace


@pytest.fixture
def servers(bare: Pair, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    monkeypatch.setattr(pace, "QUIET_S", 0.0)
    with batched_table(bare):
        yield bare


def test_a_lock_that_the_application_holds_is_waited_for_elsewhere(
    servers: Pair, pool: CountingPool
) -> None:
    job, step = safe(servers, ONCE_MORE), applying(servers.nodes, pool)
    with servers.connect(BLUE, "app") as holder, holder.transaction():
        holder.execute("UPDATE t SET w = 1 WHERE id = 6")
        answers = [step.do(job) for _ in range(3)]
        assert any("lock timeout" in answer.sentence for answer in answers)
        assert servers.value(BLUE, CHANGED) == 0
    done(step, job)
    assert servers.value(BLUE, WRONG) == 0


def test_it_waits_while_the_standby_is_behind(
    servers: Pair, pool: CountingPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "LAG_LIMIT_BYTES", 200_000)
    servers.run(GREEN, "SELECT pg_wal_replay_pause()")
    job, step = safe(servers, ONCE_MORE), applying(servers.nodes, pool)
    for _ in range(20):
        answer = step.do(job)
    assert isinstance(answer, Pending)
    assert "waits for the standby" in answer.sentence
    changed = servers.value(BLUE, CHANGED)
    assert isinstance(step.do(job), Pending)
    assert servers.value(BLUE, CHANGED) == changed
    assert int(str(changed)) < ROWS // 2
    servers.run(GREEN, "SELECT pg_wal_replay_resume()")
    done(step, job)
    assert servers.value(BLUE, WRONG) == 0


def test_it_makes_way_for_an_application_that_slows_down(
    servers: Pair, pool: CountingPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slowed(CountingPool):
        def traffic(self) -> PoolTraffic:
            """4 ms for each transaction at first, 40 ms as soon as rows change."""
            ms = 40 if servers.value(BLUE, CHANGED) else 4
            before = self.counted
            self.counted = PoolTraffic(before.transactions + 50, before.seconds + 50 * ms / 1000)
            return self.counted

    job, step = safe(servers, ONCE_MORE), applying(servers.nodes, Slowed())
    answers = [step.do(job) for _ in range(4)]
    assert any("transactions take 40.0 ms, usually 4.0" in one.sentence for one in answers)
    pauses = [pace.pause_s for pace in step.batches._paces.values()]
    assert pauses[0] >= 0.4
    assert 0 < int(str(servers.value(BLUE, CHANGED))) < ROWS // 2


def test_it_pauses_by_hand_between_batches_and_goes_on(
    servers: Pair, pool: CountingPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "LOOK_S", 0.01)
    job, step = safe(servers, ONCE_MORE), applying(servers.nodes, pool)
    while not servers.value(BLUE, CHANGED):
        assert isinstance(step.do(job), Pending)
    paused = job.model_copy(update={"requests": frozenset({"pause"})})
    changed = servers.value(BLUE, CHANGED)
    for _ in range(3):
        answer = step.do(paused)
        assert isinstance(answer, Pending)
        assert f"`bluegreen resume {job.id}` goes on; {changed} rows changed" in answer.sentence
    assert servers.value(BLUE, CHANGED) == changed
    done(step, job)
    assert servers.value(BLUE, WRONG) == 0
