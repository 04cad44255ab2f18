"""Percentiles and query profiles, from what was seen."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.baseline import Interval, profile, spread, transaction_spread
from shared.domain.pooler import PoolerFacts
from workers.health_monitor.recorder import interval


def test_percentiles() -> None:
    found = spread([float(number) for number in range(1, 101)])
    assert found is not None
    assert (found.p50, found.p95, found.p99) == (50.0, 95.0, 99.0)
    assert spread([]) is None


@given(st.lists(st.floats(0, 1e6), min_size=1))
def test_percentiles_are_in_order_and_of_the_values(values: list[float]) -> None:
    found = spread(values)
    assert found is not None
    assert found.p50 <= found.p95 <= found.p99 <= round(max(values), 3)


def seen(transactions: int, mean_ms: float) -> Interval:
    return Interval(datetime.now(UTC), "blue", 4.0, transactions, mean_ms, 0.0, None)


def test_an_interval_weighs_as_much_as_its_transactions() -> None:
    found = transaction_spread([seen(990, 1.0), seen(10, 100.0), seen(0, 0.0)])
    assert found is not None
    assert (found.p50, found.p99) == (1.0, 1.0)


def test_a_profile_is_what_ran_between_two_looks() -> None:
    before = {"a": (10, 100.0), "gone": (5, 5.0), "idle": (1, 1.0), "reset": (50, 50.0)}
    after = {"a": (30, 160.0), "idle": (1, 1.0), "new": (10, 20.0), "reset": (4, 20.0)}
    found = {each.query: each for each in profile(before, after, seconds=10)}
    assert found.keys() == {"a", "new", "reset"}
    assert (found["a"].calls_per_s, found["a"].mean_ms, found["a"].share) == (2.0, 3.0, 0.6)
    assert found["reset"].mean_ms == 5.0


def pooler(transactions: int, us: int) -> PoolerFacts:
    return PoolerFacts((1, 24), "transaction", 60, transactions=transactions, transactions_us=us)


def test_between_two_looks_at_the_pooler() -> None:
    found = interval(pooler(100, 1_000_000), pooler(300, 1_400_000), seconds=4, side="blue",
                     door_ms=3.0)  # fmt: skip
    assert found is not None
    assert (found.transactions, found.mean_ms) == (200, pytest.approx(2.0))
    assert interval(pooler(9, 0), pooler(1, 0), seconds=4, side="blue", door_ms=None) is None
