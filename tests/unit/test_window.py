"""When a job may switch."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.domain.errors import Refused
from shared.domain.window import moment, opens_at

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "found"),
    [
        ("2026-11-24T02:00", "2026-11-24T02:00"),
        ("2026-11-24T02:00+01:00", "2026-11-24T01:00"),
        ("13:30", "2026-11-23T13:30"),
        ("02:00", "2026-11-24T02:00"),
    ],
)
def test_a_moment_is_read_in_utc_and_a_time_of_day_is_the_next_one(at, found):
    assert moment(at, NOON) == utc(found)


@pytest.mark.parametrize(
    ("window", "found"),
    [
        ("10:00-14:00", "2026-11-23T12:00"),
        ("22:00-06:00", "2026-11-23T22:00"),
        ("20:00-13:00", "2026-11-23T12:00"),
        ("08:00-12:00", "2026-11-24T08:00"),
        ("14:00-15:00 Europe/Berlin", "2026-11-23T13:00"),
        ("Sun 02:00-04:00", "2026-11-29T02:00"),
        ("Mon 10:00-14:00", "2026-11-23T12:00"),
        ("Mon 08:00-12:00", "2026-11-30T08:00"),
        ("Sun 22:00-14:00", "2026-11-23T12:00"),
        ("Fri-Mon 00:00-24:00", "2026-11-23T12:00"),
        ("sat,sun 01:00-02:00", "2026-11-28T01:00"),
        ("Sun 02:00-04:00; Tue 03:00-04:00", "2026-11-24T03:00"),
        ("Tue 00:30-01:00 Europe/Berlin", "2026-11-23T23:30"),
    ],
)
def test_a_window_opens_on_its_days_also_over_midnight_and_in_a_named_zone(window, found):
    assert opens_at(None, window, NOON) == utc(found)


def test_both_together_mean_the_first_moment_at_which_both_hold():
    assert opens_at("2026-11-25T12:00", "22:00-06:00", NOON) == utc("2026-11-25T22:00")
    assert opens_at(None, None, NOON) == NOON


@pytest.mark.parametrize(
    "window", ["22-06", "22:00", "25:00-26:00", "22:00-06:00 Mars/Base", "Xyz 22:00-06:00", ";"]
)
def test_a_window_of_another_form_is_refused(window):
    with pytest.raises(Refused, match="expected a window"):
        opens_at(None, window, NOON)


def test_a_moment_of_another_form_is_refused():
    with pytest.raises(Refused, match="expected a time"):
        moment("tomorrow", NOON)
