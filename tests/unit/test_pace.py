"""A comparison rests while the application's commits are slow, and goes on when they are not."""

from __future__ import annotations

from workers.validator.pace import LONGEST_REST_S, SHORTEST_REST_S, UNNOTICED_MS, Pace


def test_quick_commits_are_not_waited_for() -> None:
    pace = Pace()
    for took_ms in (1.0, 3.0, UNNOTICED_MS, 0.5):
        pace.note(took_ms)
    assert (pace.rest_s, pace.share) == (0.0, 1.0)


def test_slow_commits_lengthen_the_rest_up_to_its_limit_and_shrink_the_pieces() -> None:
    pace = Pace(quickest_ms=2.0)
    pace.note(40.0)
    assert pace.rest_s == SHORTEST_REST_S
    for _ in range(10):
        pace.note(200.0)
    assert pace.rest_s == LONGEST_REST_S
    assert pace.share < 1.0


def test_when_they_are_quick_again_the_rest_ends() -> None:
    pace = Pace(quickest_ms=2.0, rest_s=LONGEST_REST_S)
    rests = []
    for _ in range(10):
        pace.note(3.0)
        rests.append(pace.rest_s)
    assert rests == sorted(rests, reverse=True)
    assert pace.rest_s == 0.0


def test_a_host_that_is_always_slow_is_measured_by_its_own_best() -> None:
    pace = Pace()
    for _ in range(5):
        pace.note(100.0)
    assert pace.rest_s == 0.0
