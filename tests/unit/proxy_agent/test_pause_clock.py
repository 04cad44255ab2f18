"""No phase before the commit point begins where the watchdog guards no more."""

from __future__ import annotations

import time

import pytest

from shared.domain.errors import Transient
from workers.proxy_agent.pause_clock import RESERVE, PauseClock


def test_a_watchdog_that_answered_too_late_lets_no_pause_begin() -> None:
    clock = PauseClock(500, time.monotonic() - 0.01)
    held = False
    with pytest.raises(Transient, match="before `pause`"), clock.phase("pause"):
        held = True
    assert not held


def test_the_time_of_its_answer_is_gone_and_a_part_is_kept_for_the_way_back() -> None:
    clock = PauseClock(500, time.monotonic() + 0.3)
    assert 0 < clock.left_s() <= 0.3 - 0.5 * RESERVE


def test_of_two_phases_side_by_side_the_one_that_raised_is_told() -> None:
    clock = PauseClock(500, time.monotonic() + 5)

    def catch_up() -> None:
        with clock.phase("catch_up"):
            with clock.phase("prepare_old"):
                pass
            raise Transient("no marker")

    with pytest.raises(Transient):
        catch_up()
    assert clock.gave_up_in() == "catch_up"


def test_what_is_found_between_two_phases_is_told_of_the_one_before() -> None:
    clock = PauseClock(500, time.monotonic() + 5)
    with clock.phase("commit"):
        pass
    assert clock.gave_up_in() == "commit"
