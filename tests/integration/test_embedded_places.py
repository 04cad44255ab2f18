"""Where an embedded stack cannot stand: said before anything is made, and what is there is kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shared.adapters.embedded.stack import down, up
from shared.domain.errors import Refused


def test_a_directory_with_other_files_is_refused_and_kept(place: Path) -> None:
    (place / "mine").write_text("precious")
    with pytest.raises(Refused, match="expected an empty directory or a stack"):
        up(place)
    with pytest.raises(Refused, match="expected a stack in"):
        down(place)
    assert (place / "mine").read_text() == "precious"


@pytest.mark.skipif(os.getuid() != 0, reason="only root's servers run as another user")
def test_a_place_that_the_servers_user_cannot_enter_is_refused(place: Path) -> None:
    place.chmod(0o700)
    with pytest.raises(Refused, match="can enter") as refused:
        up(place / "stack")
    assert "--state-dir" in refused.value.remedy
    assert not (place / "stack").exists()


def test_a_path_too_long_for_sockets_is_refused_before_anything_is_made(place: Path) -> None:
    deep = place / ("a" * 100)
    with pytest.raises(Refused, match="fit 107 bytes"):
        up(deep)
    assert not deep.exists()


@pytest.mark.parametrize("name", ["a b", "a,b", "a'b", 'a"b', "a$b", "a;b", "a#b", "a%b", "a\\b"])
def test_a_path_that_a_configuration_file_would_misread_is_refused(place: Path, name: str) -> None:
    with pytest.raises(Refused, match="letters, digits and") as refused:
        up(place / name)
    assert "--state-dir" in refused.value.remedy
    assert not (place / name).exists()


@pytest.mark.parametrize("below", [(), ("stack",)])
def test_a_place_that_is_a_file_is_refused(place: Path, below: tuple[str, ...]) -> None:
    (place / "file").write_text("precious")
    with pytest.raises(Refused, match=r"can be written to, found at .*: Not a directory"):
        up((place / "file").joinpath(*below))
    assert (place / "file").read_text() == "precious"


def test_a_place_where_nothing_can_be_made_is_refused() -> None:
    with pytest.raises(Refused, match="can be written to, found at /proc/stack"):
        up(Path("/proc/stack"))


def test_a_version_we_do_not_know_is_refused_and_leaves_nothing(place: Path) -> None:
    with pytest.raises(Refused, match="from 15 to 18"):
        up(place / "stack", 14)
    assert not (place / "stack").exists()
