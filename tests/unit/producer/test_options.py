"""Options are checked before anything is touched, and each refusal names what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from producer import options, run_options
from shared.domain.migration import RunOptions

SECONDS = options.in_range(0, options.DAY_S, "seconds", open_low=True)


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf"), 1e9])
def test_a_timeout_that_is_no_positive_finite_time_is_refused(value: float) -> None:
    with pytest.raises(typer.BadParameter, match="expected seconds above 0 and up to 86400"):
        SECONDS(value)


@pytest.mark.parametrize("value", [0.5, 120.0, 86_400.0, None])
def test_a_timeout_inside_the_range_is_given_on(value: float | None) -> None:
    assert SECONDS(value) == value


def test_a_closed_range_holds_its_lower_edge() -> None:
    assert options.in_range(0, 10, "seconds")(0) == 0


@pytest.mark.parametrize("text", ["tomorrow", "25:00", "2020-01-01T00:00:00Z", ""])
def test_a_moment_that_cannot_be_read_or_is_over_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="expected a time"):
        run_options.moment_option(text)


@pytest.mark.parametrize("text", ["2999-01-01T02:00:00+02:00", "2999-01-01T00:00"])
def test_a_moment_is_given_on_in_utc(text: str) -> None:
    assert run_options.moment_option(text) == "2999-01-01T00:00:00+00:00"


@pytest.mark.parametrize("text", ["22-04", "24:00-01:00", "22:60-23:00", "22:00-23:00 Mars", ""])
def test_a_window_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="expected a window"):
        run_options.window_option(text)


@pytest.mark.parametrize("text", ["22:00-04:30", "22:00-04:30 Europe/Berlin"])
def test_a_window_may_pass_midnight_and_name_a_zone(text: str) -> None:
    assert run_options.window_option(text) == text


@pytest.mark.parametrize(
    ("wish", "named"),
    [
        ({"dry_run": True, "detach": True}, "--dry-run and --detach"),
        ({"dry_run": True, "wait_timeout": 5.0}, "--dry-run and --wait-timeout"),
        ({"detach": True, "wait_timeout": 5.0}, "--detach and --wait-timeout"),
        ({"detach": True, "files": [Path("a.sql"), Path("b.sql")]}, "--detach takes one file"),
        ({"files": [Path("a.sql"), Path("./a.sql")]}, "given twice"),
    ],
)
def test_options_that_contradict_are_refused_by_name(wish: dict[str, object], named: str) -> None:
    asked = {"files": [Path("a.sql")], "dry_run": False, "detach": False, "wait_timeout": None}
    with pytest.raises(typer.BadParameter, match=named):
        run_options.refuse_contradictions(**{**asked, **wish})


def test_the_command_line_and_the_job_agree_on_every_option_and_default() -> None:
    from producer.cli import app

    run = typer.main.get_command(app).commands["run"]  # type: ignore[attr-defined]
    defaults = {parameter.name: parameter.default for parameter in run.params}
    renamed = {"timeout_s": "timeout", "switch_delay_s": "switch_delay",
               "max_stall_ms": "max_stall", "rollback_window_s": "rollback_window"}  # fmt: skip
    for name, field in RunOptions.model_fields.items():
        assert defaults[renamed.get(name, name)] == field.default, name
