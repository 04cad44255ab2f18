"""The newest attempt out of two servers' records."""

from __future__ import annotations

from shared.domain.environment import Colour
from workers.proxy_agent.attempt import Recorded, Side, State, Way, newest


def recorded(number: int, side: Side, state: State, way: Way = Way.FORWARD) -> Recorded:
    return Recorded(number, "20261123-7f3a", way, side, state, True)


def test_no_record_is_no_attempt() -> None:
    assert newest({Colour.BLUE: None, Colour.GREEN: None}) is None


def test_both_sides_of_one_attempt_are_put_together() -> None:
    found = newest(
        {Colour.BLUE: recorded(3, "old", "open"), Colour.GREEN: recorded(3, "new", "committed")}
    )
    assert found is not None
    attempt, states = found
    assert (attempt.number, attempt.direction) == (3, "blue->green")
    assert states == {"old": "open", "new": "committed"}


def test_a_side_that_only_knows_an_older_attempt_says_nothing_of_the_newest() -> None:
    found = newest(
        {
            Colour.BLUE: recorded(3, "old", "burnt"),
            Colour.GREEN: recorded(4, "old", "open", Way.BACK),
        }
    )
    assert found is not None
    attempt, states = found
    assert attempt.direction == "green->blue"
    assert states == {"old": "open"}


def test_the_streams_of_the_two_ways_are_each_others_opposite() -> None:
    assert Way.FORWARD.opposite.stream == Way.BACK.stream != Way.FORWARD.stream
