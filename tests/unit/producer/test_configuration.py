"""`bluegreen.toml` gives defaults, and a typo in it is an error rather than a default."""

from __future__ import annotations

from pathlib import Path

import pytest

from producer.configuration import Configuration, defaults_for, masked
from shared.domain.errors import Refused

OPTIONS = {"run": {"timeout": "timeout", "switch-delay": "switch_delay"}}


def configured(**tables: dict[str, object]) -> Configuration:
    return Configuration(Path("bluegreen.toml"), {}, tables)


def test_options_of_the_file_become_defaults_by_parameter() -> None:
    found = defaults_for(configured(run={"timeout": 60, "switch-delay": 5}), OPTIONS)
    assert found == {"run": {"timeout": 60, "switch_delay": 5}}


def test_an_underscore_is_as_good_as_a_dash() -> None:
    assert defaults_for(configured(run={"switch_delay": 5}), OPTIONS) == {
        "run": {"switch_delay": 5}
    }


def test_a_command_that_does_not_exist_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Refused, match="no command is named 'rnu'") as refused:
        defaults_for(configured(rnu={}), OPTIONS)
    assert "run" in refused.value.remedy


def test_an_option_that_does_not_exist_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Refused, match=r"\[run\] has no option 'time-limit'") as refused:
        defaults_for(configured(run={"time-limit": 1}), OPTIONS)
    assert "timeout" in refused.value.remedy


@pytest.mark.parametrize("name", ["DB_PASSWORD", "stack.alerts.urls", "API_TOKEN"])
def test_a_secret_is_never_shown(name: str) -> None:
    assert masked(name, "hunter2") == "********"


def test_other_values_are_shown() -> None:
    assert masked("DB_HOST", "localhost") == "localhost"
