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
