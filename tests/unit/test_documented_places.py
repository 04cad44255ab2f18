"""A place that a page names is there, and every floor and room stands in docs/architecture.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOP = "shared|workers|producer|tests|compose|docs|scripts|benchmarks"
PLACE = re.compile(rf"`((?:{TOP})/[\w./-]+)`")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "page", sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]), ids=lambda p: p.name
)
def test_a_place_that_a_page_names_is_there(page: Path) -> None:
    named = set(PLACE.findall(page.read_text(encoding="utf-8")))
    assert {place for place in named if not (ROOT / place).exists()} == set()


def test_every_floor_stands_in_the_house() -> None:
    floors = [path for path in (ROOT / "shared").iterdir() if _is_code(path)]
    assert [path.name for path in floors if f"`shared/{path.name}`" not in ARCHITECTURE] == []


@pytest.mark.parametrize("room", ["shared/adapters", "tests"])
def test_every_room_is_named_with_what_is_in_it(room: str) -> None:
    rooms = [path.name for path in (ROOT / room).iterdir() if path.is_dir() and _is_code(path)]
    cells = re.findall(r"(?m)^\| (`[^|]+) \|", ARCHITECTURE)
    named = {
        word.removeprefix("tests/") for cell in cells for word in re.findall(r"`([^`]+)`", cell)
    }
    assert sorted(set(rooms) - named) == []


def _is_code(path: Path) -> bool:
    return not path.name.startswith(("__", "."))
