"""A quiet time is a part of the day, for some checks."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from shared.settings import QuietTime
from workers.health_monitor.planned import is_quiet

NIGHT = (QuietTime(window="22:00-04:00 Europe/Berlin", checks=("green.", "replication.")),)


@pytest.mark.parametrize(
    ("check", "hour", "quiet"),
    [
        ("green.disk", 22, True),
        ("green.disk", 2, True),
        ("green.disk", 12, False),
        ("replication.lag", 23, True),
        ("blue.disk", 23, False),
    ],
)
def test_inside_the_window_and_for_those_checks_only(check: str, hour: int, quiet: bool) -> None:
    assert is_quiet(check, NIGHT, datetime(2026, 11, 26, hour, 30, tzinfo=UTC)) is quiet


def test_a_window_of_another_form_is_refused() -> None:
    with pytest.raises(ValidationError, match="expected a window"):
        QuietTime(window="night", checks=("green.",))
