"""What a probe's samples say: only those around the pause count, and each in its place."""

from __future__ import annotations

import pytest

from workers.proxy_agent.measurement import AROUND_S, measure, quantile

PAUSED_AT, RESUMED_AT = 100.0, 100.04


def test_the_wait_across_the_pause_is_the_longest_and_not_of_the_baseline() -> None:
    found = measure(
        [(99.0, 2.0, True, "blue"), (99.5, 4.0, True, "blue"), (99.999, 60.0, True, "green")],
        paused_at=PAUSED_AT, resumed_at=RESUMED_AT, new_server="green",
    )  # fmt: skip
    assert (found.p50_ms, found.p99_ms, found.longest_ms) == (4.0, 4.0, 60.0)
    assert found.new_side_writes == 1
    assert found.samples[-1] == (-1.0, 60.0, True)


def test_a_failure_around_the_pause_counts_and_one_far_away_does_not() -> None:
    far = PAUSED_AT - AROUND_S - 1
    found = measure(
        [(far, 1.0, False, ""), (99.9, 1.0, False, ""), (100.01, 5.0, False, "")],
        paused_at=PAUSED_AT, resumed_at=RESUMED_AT, new_server="green",
    )  # fmt: skip
    assert found.failed == 2
    assert found.new_side_writes == 0


def test_a_write_of_the_old_side_after_resume_is_not_one_of_the_new_side() -> None:
    found = measure(
        [(100.1, 1.0, True, "blue")],
        paused_at=PAUSED_AT, resumed_at=RESUMED_AT, new_server="green",
    )  # fmt: skip
    assert found.new_side_writes == 0


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1.0), (0.5, 3.0), (0.99, 5.0), (1.0, 5.0)])
def test_a_quantile_is_one_of_the_values(share: float, expected: float) -> None:
    assert quantile([1.0, 2.0, 3.0, 4.0, 5.0], share) == expected


def test_nothing_measured_has_no_quantile() -> None:
    assert quantile([], 0.5) is None
