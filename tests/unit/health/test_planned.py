"""What a job takes away on purpose, and what a quiet time covers, is no fault."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from shared.domain.health import RunningStep
from shared.domain.kinds import Kind
from shared.monitor_settings import QuietTime
from shared.saga.recipes import MAINTENANCE, RECIPES
from workers.health_monitor.planned import PLANNED, is_planned, is_quiet

NIGHT = (QuietTime(window="22:00-04:00 Europe/Berlin", checks=("green.", "replication.")),)

OF_MAINTENANCE = [step.name for step in MAINTENANCE]


def test_every_span_is_of_some_recipe_and_forward() -> None:
    recipes = [[step.name for step in recipe] for recipe in RECIPES.values()]
    for span in PLANNED:
        places = [(names.index(span.first), names.index(span.last)) for names in recipes
                  if {span.first, span.last} <= set(names)]  # fmt: skip
        assert places, span
        assert all(first <= last for first, last in places), span


def planned(check: str, kind: Kind, step: str, *, backward: bool = False) -> bool:
    return is_planned(check, {RunningStep(kind, step, backward)})


def test_a_server_that_is_being_forked_is_not_missing_but_redis_would_be() -> None:
    assert planned("green.available", Kind.RISKY, "create_green")
    assert not planned("green.available", Kind.RISKY, "compare_rows")
    assert not planned("redis.available", Kind.RISKY, "create_green")
    assert not is_planned("green.available", set())


def between(first: str, last: str) -> list[str]:
    return OF_MAINTENANCE[OF_MAINTENANCE.index(first) : OF_MAINTENANCE.index(last) + 1]


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize(
    ("checks", "steps"),
    [
        (("standby.streaming", "replication.lag", "replication.trend"),
         between("pause_standby_replay", "finish")),
        (("door.pooled", "door.direct", "pooler.waiting"),
         between("hold_traffic", "release_traffic")),
    ],
)  # fmt: skip
def test_a_maintenance_holds_them_over_all_of_its_steps_and_no_longer(
    checks: tuple[str, ...], steps: list[str], backward: bool
) -> None:
    for check in checks:
        held = [step for step in OF_MAINTENANCE
                if planned(check, Kind.MAINTENANCE, step, backward=backward)]  # fmt: skip
        assert held == steps, check


def test_a_server_that_stops_in_a_maintenance_is_missing_unless_it_is_being_taken_back() -> None:
    for step in OF_MAINTENANCE:
        assert not planned("green.available", Kind.MAINTENANCE, step), step
    assert planned("green.available", Kind.MAINTENANCE, "apply_on_active", backward=True)
    assert planned("blue.available", Kind.MAINTENANCE, "pause_standby_replay", backward=True)


def test_the_same_step_of_another_kind_holds_nothing() -> None:
    assert not planned("replication.lag", Kind.SAFE, "confirm")
    assert not planned("door.pooled", Kind.RISKY, "confirm")


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
