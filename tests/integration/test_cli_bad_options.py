"""A flag, a variable or a line of bluegreen.toml that cannot be meant is named, with exit 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command_line import CalledHere, CommandLine

SAFE = "CREATE TABLE notes (id bigint PRIMARY KEY, body text);\n"


@pytest.fixture
def bluegreen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    return CalledHere(tmp_path, {}, monkeypatch, capsys)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--timeout", "0"], "--timeout"),
        (["--timeout=-1"], "--timeout"),
        (["--timeout", "NaN"], "--timeout"),
        (["--timeout", "1e9"], "--timeout"),
        (["--timeout", "soon"], "--timeout"),
        (["--switch-delay", "-0.1"], "--switch-delay"),
        (["--switch-delay", "nan"], "--switch-delay"),
        (["--max-stall", "0"], "--max-stall"),
        (["--rollback-window", "-1"], "--rollback-window"),
        (["--wait-timeout", "0"], "--wait-timeout"),
        (["--type", "harmless"], "--type"),
        (["--backup", "some"], "--backup"),
        (["--at", "tomorrow"], "--at"),
        (["--window", "all night"], "--window"),
        (["--time-out", "3"], "--time-out"),
        (["--dry-run", "--detach"], "--dry-run and --detach"),
        (["--detach", "--wait-timeout", "3"], "--detach and --wait-timeout"),
        (["a.sql"], "given twice"),
    ],
)
def test_an_option_that_makes_no_sense_is_named(
    bluegreen: CommandLine, words: list[str], named: str
) -> None:
    bluegreen.write("a.sql", SAFE)
    answer = bluegreen("run", "a.sql", *words)
    assert answer.code == 2
    assert named in answer.line


@pytest.mark.parametrize(
    ("variable", "value"), [("BLUEGREEN_TIMEOUT", "nan"), ("BLUEGREEN_TYPE", "harmless")]
)
def test_the_environment_is_checked_like_the_flags(
    bluegreen: CommandLine, variable: str, value: str
) -> None:
    answer = bluegreen("run", bluegreen.write("a.sql", SAFE), **{variable: value})
    assert answer.code == 2
    assert value in answer.line


def test_a_typo_in_the_configuration_file_is_an_error(bluegreen: CommandLine) -> None:
    bluegreen.write("bluegreen.toml", "[run]\nswitch-dealy = 5\n")
    answer = bluegreen("run", bluegreen.write("a.sql", SAFE))
    assert answer.code == 2
    assert "switch-dealy" in answer.line


@pytest.mark.parametrize(
    ("line", "named"),
    [("timeout = 0", "above 0"), ("timeout = true", "found true"), ('type = "big"', "'big'")],
)
def test_a_value_in_the_configuration_file_is_refused_with_its_place(
    bluegreen: CommandLine, line: str, named: str
) -> None:
    bluegreen.write("bluegreen.toml", f"[run]\n\n{line}\n")
    answer = bluegreen("run", bluegreen.write("a.sql", SAFE))
    assert answer.code == 2
    assert f"{bluegreen.folder}/bluegreen.toml:3:1: " in answer.line
    assert named in answer.line


def test_a_flag_is_not_blamed_on_the_configuration_file(bluegreen: CommandLine) -> None:
    bluegreen.write("bluegreen.toml", "[run]\ntimeout = 5\n")
    answer = bluegreen("run", bluegreen.write("a.sql", SAFE), "--timeout", "0")
    assert answer.code == 2
    assert "bluegreen.toml" not in answer.line
