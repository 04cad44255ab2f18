"""`stack.json` is read as strictly as it is written, and its monitor can alert."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from shared.domain.errors import Refused
from shared.domain.health import GROUPS
from shared.settings import load
from tests.support.settings_on_paper import settings_on_paper

QUIET = {"window": "02:00-04:00", "checks": ["green."]}


def changed(folder: Path, place: str, value: Any) -> dict[str, str]:
    """The environment of a stack whose settings say that there."""
    body = settings_on_paper(folder).model_dump(mode="json")
    inside = body
    *way, name = place.split(".")
    for step in way:
        inside = inside[step]
    inside[name] = value
    path = folder / "stack.json"
    path.write_text(json.dumps(body))
    return {"BLUEGREEN_CONFIG": str(path)}


def test_what_was_written_is_read(tmp_path: Path) -> None:
    environment = changed(tmp_path, "monitor.quiet_times", [QUIET])
    [quiet] = load(environment).monitor.quiet_times
    assert quiet.checks == ("green.",)


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("monitor.period_s", True, "should be a valid number"),
        ("redis.port", "6379", "should be a valid integer"),
        ("monitor.limits.full_share", -3, "greater than 0"),
        ("monitor.limits.full_share", 90, "less than or equal to 1"),
        ("monitor.limits.lag_s", float("nan"), "finite number"),
        ("retention.job_days", 1, "greater than or equal to 2"),
        ("retention.job_days", "90", "should be a valid number"),
        ("retention.jobs_days", 90, "not permitted"),
        ("monitor.window", 1, "expected needed to be at most window, found 2 of 1"),
        ("monitor.quiet_times", [QUIET | {"window": "night"}], "expected a window such as"),
        ("monitor.quiet_times", [QUIET | {"checks": []}], "expected beginnings such as blue"),
        ("monitor.quiet_times", [QUIET | {"checks": ["gren."]}], "found 'gren.'"),
        ("monitor.quiet_times", [QUIET | {"checks": [""]}], "found ''"),
    ],
)
def test_what_would_be_read_otherwise_than_it_was_meant_is_refused(
    tmp_path: Path, place: str, value: Any, said: str
) -> None:
    with pytest.raises(Refused, match=re.escape(said)) as refused:
        load(changed(tmp_path, place, value))
    assert refused.value.message.startswith(f"{tmp_path}/stack.json: {place.split('.')[0]}")


@pytest.mark.parametrize("beginning", ["green", "green.cpu", "gr", "rollback_point.", "agent."])
def test_a_quiet_time_names_the_beginning_of_checks(tmp_path: Path, beginning: str) -> None:
    quiet = QUIET | {"checks": [beginning]}
    assert load(changed(tmp_path, "monitor.quiet_times", [quiet])).monitor.quiet_times


def test_the_first_words_of_the_checks_are_those_of_the_manual() -> None:
    page = (Path(__file__).parents[2] / "docs/monitoring.md").read_text()
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    checks = [name for row in rows for name in re.findall(r"`([a-z_]+)\.[a-z_<>]+`", row)]
    assert set(checks) == set(GROUPS)
