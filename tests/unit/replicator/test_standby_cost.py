"""Rewind or base backup: the one that is cheaper among those that can work."""

import pytest

from workers.replicator import standby


@pytest.mark.parametrize(
    ("cost", "way"),
    [
        (standby.Cost(10**9, 10**8, 10**6, True, 0.0), "rewind"),
        (standby.Cost(10**7, 10**8, 10**6, True, 0.0), "copy"),
        (standby.Cost(10**7, 10**8, 10**6, True, 270.0), "rewind"),
        (standby.Cost(10**9, 10**8, 10**6, False, 270.0), "copy"),
    ],
)
def test_the_cheaper_way_is_chosen_among_those_that_work(cost: standby.Cost, way: str) -> None:
    assert cost.cheaper() == way
