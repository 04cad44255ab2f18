"""`bluegreen.toml` gives defaults, and a typo in it is an error rather than a default."""

from __future__ import annotations

from pathlib import Path

import pytest

from producer.config_values import Known
from producer.configuration import Configuration, defaults_for, masked, read_configuration
from shared.domain.errors import Refused

OPTIONS = {
    "run": {
        "timeout": Known("timeout", "a number"),
        "switch-delay": Known("switch_delay", "a number"),
        "max-stall": Known("max_stall", "a whole number"),
        "hold": Known("hold", "true or false"),
        "queries": Known("queries", "a path"),
        "at": Known("at"),
    }
}


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


def read(folder: Path, text: str | bytes) -> dict[str, dict[str, object]]:
    data = text.encode() if isinstance(text, str) else text
    (folder / "bluegreen.toml").write_bytes(data)
    return defaults_for(read_configuration(folder, {}), OPTIONS)


def test_a_mark_in_front_and_windows_line_ends_are_read_over(tmp_path: Path) -> None:
    found = read(tmp_path, b"\xef\xbb\xbf[run]\r\ntimeout = 60\r\n")
    assert found == {"run": {"timeout": 60}}


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("timeout = true", "expected a number for timeout, found true"),
        ("timeout = [1]", "expected a number for timeout, found a list"),
        ("timeout = {a = 1}", "expected a number for timeout, found a table"),
        ("max_stall = 99.7", "expected a whole number for max_stall, found 99.7"),
        ("max-stall = false", "expected a whole number for max-stall, found false"),
        ("hold = 1", "expected true or false for hold, found 1"),
        ("queries = 5", "expected a path for queries, found 5"),
        ("at = 5", "expected a text for at, found 5"),
    ],
)
def test_a_value_of_another_kind_is_refused_with_its_place(
    tmp_path: Path, line: str, found: str
) -> None:
    with pytest.raises(Refused) as refused:
        read(tmp_path, f"[windows]\n[ run ]\n# timeout = 1\n  {line}\n")
    assert refused.value.message == f"{tmp_path}/bluegreen.toml:4:3: {found}"
    assert "bluegreen run --help" in refused.value.remedy


def test_values_of_the_kind_are_given_on(tmp_path: Path) -> None:
    text = '[run]\ntimeout = 1.5\nmax-stall = "70"\nhold = true\nat = 2999-01-01T00:00:00Z\n'
    assert read(tmp_path, text) == {
        "run": {
            "timeout": 1.5, "max_stall": "70", "hold": True, "at": "2999-01-01 00:00:00+00:00",
        }
    }  # fmt: skip


def test_a_relative_path_is_relative_to_the_file(tmp_path: Path) -> None:
    read(tmp_path, 'state_dir = "stack"\n[run]\nqueries = "q.sql"\n')
    below = tmp_path / "below"
    below.mkdir()
    configuration = read_configuration(below, {})
    assert configuration.environment == {"BLUEGREEN_STATE_DIR": f"{tmp_path}/stack"}
    assert defaults_for(configuration, OPTIONS)["run"]["queries"] == f"{tmp_path}/q.sql"


@pytest.mark.parametrize("value", ["5", "true", '""', '["a"]', r'"a\u0000b"'])
def test_a_state_directory_that_is_none_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(Refused, match=r"toml:1:1: expected a directory in state_dir, found"):
        read(tmp_path, f"state_dir = {value}\n")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("x = \n", ":1:5: expected TOML, found: Invalid value"),
        (b"\n[run]\n\xff\n", ":3:1: expected UTF-8 text, found byte 0xff"),
        ("x = 3\n", ":1:1: expected the table of a command, found x = 3"),
        ("run.timeout = true\n", ":1:1: expected a number for timeout, found true"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_place(
    tmp_path: Path, data: str | bytes, said: str
) -> None:
    with pytest.raises(Refused) as refused:
        read(tmp_path, data)
    assert f"bluegreen.toml{said}" in refused.value.message


def test_what_is_there_and_no_file_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "bluegreen.toml").write_text("[run]\ntimeout = 60\n")
    folder = tmp_path / "below"
    folder.mkdir()
    assert read_configuration(folder, {}).file == tmp_path / "bluegreen.toml"
    (folder / "bluegreen.toml").symlink_to("nowhere")
    with pytest.raises(Refused, match="found a link to nowhere, which is not there"):
        read_configuration(folder, {})
    (folder / "bluegreen.toml").unlink()
    (folder / "bluegreen.toml").mkdir()
    with pytest.raises(Refused, match="expected a file, found a directory"):
        read_configuration(folder, {})


@pytest.mark.parametrize("name", ["DB_PASSWORD", "stack.alerts.urls", "API_TOKEN"])
def test_a_secret_is_never_shown(name: str) -> None:
    assert masked(name, "hunter2") == "********"


def test_other_values_are_shown() -> None:
    assert masked("DB_HOST", "localhost") == "localhost"
