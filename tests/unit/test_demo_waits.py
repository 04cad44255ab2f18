"""Which transactions were under way in a stretch of time."""

from __future__ import annotations

import pytest

from shared.adapters.demo.waits import Stretch


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
    found = list(Stretch(10.0, 12.0).took_ms([(11.0, 1.0), (began, took_ms)]))
    assert found == ([1.0, took_ms] if is_in_it else [1.0])


def test_without_any_there_is_none() -> None:
    assert list(Stretch(10.0, 12.0).took_ms([(1.0, 500.0)])) == []
