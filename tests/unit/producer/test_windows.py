"""A job waits for its own window, else for the one of its kind in the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from producer.configuration import read_configuration
from producer.windows import with_window
from shared.domain.errors import Refused
from shared.domain.kinds import Kind
from shared.domain.migration import RunOptions

FILE = """
[run]
timeout = 60
[windows]
maintenance = "Sun 02:00-04:00 Europe/Berlin"
risky = "Mon-Fri 22:00-05:00"
"""


def windows(folder: Path, text: str = FILE) -> dict[str, str]:
    (folder / "bluegreen.toml").write_text(text)
    return dict(read_configuration(folder, {}).windows)


def test_the_window_of_the_kind_holds_where_none_was_asked_for(tmp_path: Path) -> None:
    found = windows(tmp_path)
    assert with_window(RunOptions(), Kind.RISKY, found).window == "Mon-Fri 22:00-05:00"
    assert with_window(RunOptions(), Kind.MAINTENANCE, found).window == found["maintenance"]
    assert with_window(RunOptions(), Kind.SAFE, found).window is None
    asked = RunOptions(window="01:00-02:00")
    assert with_window(asked, Kind.RISKY, found).window == "01:00-02:00"


def test_always_is_said_for_one_run(tmp_path: Path) -> None:
    options = RunOptions(window="always")
    assert with_window(options, Kind.RISKY, windows(tmp_path)).window is None


def test_the_other_tables_stay_what_they_were(tmp_path: Path) -> None:
    windows(tmp_path)
    assert set(read_configuration(tmp_path, {}).tables) == {"run"}


def test_a_kind_that_there_is_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"expected windows of safe, .*, found nightly"):
        windows(tmp_path, '[windows]\nnightly = "02:00-04:00"\n')


def test_a_window_that_cannot_be_read_is_refused_before_anything_is_enqueued() -> None:
    with pytest.raises(Refused, match="expected a window such as"):
        with_window(RunOptions(), Kind.RISKY, {"risky": "at night"})


@pytest.mark.parametrize(
    "value", ['"at night"', '"25:00-26:00"', '""', "5", "true", '["02:00-04:00"]']
)
def test_what_is_no_window_is_refused_where_it_stands(tmp_path: Path, value: str) -> None:
    with pytest.raises(Refused, match=r"bluegreen\.toml:3:1: expected a window"):
        windows(tmp_path, f'[windows]\nrisky = "always"\nsafe = {value}\n')
