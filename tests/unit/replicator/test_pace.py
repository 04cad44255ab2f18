"""Batches follow one another as fast as the application bears it."""

import pytest

from workers.replicator.pace import LAG_LIMIT_BYTES, LONGEST_PAUSE_S, Pace, Sample


class Pool:
    """Counts as a pooler would: `run` lets a hundred transactions end in that time each."""

    def __init__(self) -> None:
        self.now_s, self.transactions, self.seconds = 0.0, 0, 0.0

    def run(self, each_ms: float, *, ended: int = 100, for_s: float = 1.0) -> Sample:
        self.now_s += for_s
        self.transactions += ended
        self.seconds += ended * each_ms / 1000
        return Sample(self.now_s, self.transactions, self.seconds)


def measured(pool: Pool, usual_ms: float) -> Pace:
    pace = Pace()
    assert pace.wants_quiet(pool.run(usual_ms))
    assert not pace.wants_quiet(pool.run(usual_ms, for_s=1.1))
    assert pace.usual_ms is not None
    return pace


def test_the_usual_latency_is_measured_first_and_again_every_minute() -> None:
    pool = Pool()
    pace = measured(pool, 4.0)
    assert pace.usual_ms == pytest.approx(4.0)
    assert not pace.wants_quiet(pool.run(4.0, for_s=50))
    assert pace.wants_quiet(pool.run(4.0, for_s=15))
    assert not pace.wants_quiet(pool.run(8.0, for_s=1.1))
    assert pace.usual_ms == pytest.approx(8.0)


def test_a_batch_that_slows_the_application_is_followed_by_longer_and_longer_pauses() -> None:
    pool = Pool()
    pace = measured(pool, 4.0)
    pauses = []
    for _ in range(12):
        pace.saw(pool.run(20.0))
        pauses.append(pace.pause_s)
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE_S
    assert "transactions take 20.0 ms, usually 4.0" in pace.why


def test_a_harmless_batch_shortens_the_pause_down_to_none() -> None:
    pool = Pool()
    pace = measured(pool, 4.0)
    for _ in range(3):
        pace.saw(pool.run(20.0))
    for _ in range(10):
        pace.saw(pool.run(5.0))
    assert pace.pause_s == 0
    assert pace.why == ""


def test_half_as_much_again_of_next_to_nothing_is_no_harm() -> None:
    pool = Pool()
    pace = measured(pool, 0.2)
    pace.saw(pool.run(1.5))
    assert pace.pause_s == 0


def test_too_few_transactions_are_no_evidence_and_are_added_up() -> None:
    pool = Pool()
    pace = measured(pool, 4.0)
    for _ in range(2):
        pace.saw(pool.run(40.0, ended=4))
    assert pace.pause_s == 0
    pace.saw(pool.run(40.0, ended=4))
    assert pace.pause_s > 0


def test_without_traffic_nothing_slows_it_down() -> None:
    pool = Pool()
    pace = Pace()
    pace.wants_quiet(pool.run(0, ended=0))
    assert not pace.wants_quiet(pool.run(0, ended=0, for_s=1.1))
    pace.saw(pool.run(50.0))
    assert (pace.usual_ms, pace.pause_s) == (None, 0)


def test_a_standby_that_is_far_behind_holds_it() -> None:
    assert not Pace().is_held_by(LAG_LIMIT_BYTES)
    assert Pace().is_held_by(LAG_LIMIT_BYTES + 1)
