"""Which transactions were under way in a stretch of time."""

from __future__ import annotations

import pytest

from shared.adapters.demo.account import Entry
from shared.adapters.demo.waits import Stretch


def entry(began: float, took_ms: float) -> Entry:
    return Entry(began, took_ms, client=0, seq=0, kind="", product=0, error="")


@pytest.mark.parametrize(
    ("began", "took_ms", "is_in_it"),
    [
        (9.0, 900.0, False),
        (9.5, 600.0, True),
        (10.5, 5.0, True),
        (12.0, 70.0, True),
        (12.1, 70.0, False),
        (5.0, 9000.0, True),
    ],
)
def test_whoever_overlaps_was_under_way(began: float, took_ms: float, is_in_it: bool) -> None:
    longest = Stretch(10.0, 12.0).longest_ms([entry(11.0, 1.0), entry(began, took_ms)])
    assert longest == (took_ms if is_in_it else 1.0)


def test_without_any_nobody_waited() -> None:
    assert Stretch(10.0, 12.0).longest_ms([entry(1.0, 500.0)]) == 0.0
