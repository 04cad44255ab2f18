"""How wide a pool is left around a pause."""

from __future__ import annotations

import pytest

from shared.narrowing import LEAST, width
from shared.ports import PoolTraffic


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
