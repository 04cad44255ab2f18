"""How wide a pool is left around a pause."""

from __future__ import annotations

import pytest

from shared.domain.errors import Transient
from shared.narrowing import LEAST, narrowed, width
from shared.ports import PoolTraffic
from tests.support.fake_pool import CountingPool
from workers.replicator.short_pause import FEW


@pytest.mark.parametrize(
    ("seconds", "over_s", "at_once"),
    [
        (0.0, 1.0, LEAST),  # nobody at work
        (2.0, 2.0, LEAST),  # one at a time
        (12.0, 2.0, 9),  # six at a time, half as many again
        (12.1, 2.0, 10),
        (0.0, 0.0, LEAST),  # no time has passed
    ],
)
def test_half_as_many_again_as_are_under_way_and_never_less_than_two(
    seconds: float, over_s: float, at_once: int
) -> None:
    assert width(PoolTraffic(0, 5.0), PoolTraffic(9, 5.0 + seconds), over_s) == at_once


def test_a_pooler_that_began_to_count_anew_narrows_no_further() -> None:
    assert width(PoolTraffic(9, 500.0), PoolTraffic(1, 0.1), 1.0) == LEAST


class RecordingPool(CountingPool):
    """Keeps each width it had."""

    def narrow(self, at_once: int) -> None:
        super().narrow(at_once)
        self.told.append({"width": at_once})


def test_a_pool_is_widened_by_a_quarter_at_a_time_up_to_what_it_was() -> None:
    pool = RecordingPool(at_once=7)
    with narrowed(pool, 2):
        assert pool.width() == 2
    assert [each["width"] for each in pool.told] == [2, 3, 4, 5, 6]
    assert pool.width() == 40, "the configuration's own"


def test_a_block_that_fails_leaves_the_pool_wide_at_once() -> None:
    pool = RecordingPool()
    with pytest.raises(Transient), narrowed(pool, 2):
        raise Transient("gave up")
    assert [each["width"] for each in pool.told] == [2]
    assert pool.width() == 40


@pytest.mark.parametrize(("connections", "is_narrow"), [(FEW, False), (FEW + 1, True)])
def test_a_short_pause_narrows_a_pool_only_where_it_has_many_connections(
    connections: int, is_narrow: bool
) -> None:
    pool = CountingPool(open_connections=connections)
    with pool.short_pause().ready() as held, held.narrow():
        assert (pool.width() == LEAST) is is_narrow
        assert ({"is_narrow": True} in pool.told) is is_narrow, "what the guard widens again"
    assert pool.width() == 40
