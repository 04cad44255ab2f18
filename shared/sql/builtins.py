"""PostgreSQL's own functions and settings: volatility, and the version they came with.

The tables were written from the catalogs of real servers (scripts/list_builtins.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

Volatility = Literal["immutable", "stable", "volatile"]
_LETTERS: dict[str, Volatility] = {"i": "immutable", "s": "stable", "v": "volatile"}
OLDEST = 15
"""The oldest supported version: what it has, all have."""
_FOLDER = Path(__file__).parent / "builtin"


@dataclass(frozen=True, slots=True)
class Builtin:
    volatility: Volatility
    """The most volatile of all functions of that name."""
    since: int


@cache
def functions() -> dict[str, Builtin]:
    found: dict[str, Builtin] = {}
    for line in _lines("functions.tsv"):
        name, letter, *since = line.split("\t")
        found[name] = Builtin(_LETTERS[letter], int(since[0]) if since else OLDEST)
    return found


@cache
def settings() -> dict[str, int]:
    """Setting -> version it came with."""
    found: dict[str, int] = {}
    for line in _lines("settings.tsv"):
        name, *since = line.split("\t")
        found[name.lower()] = int(since[0]) if since else OLDEST
    return found


def _lines(name: str) -> list[str]:
    return (_FOLDER / name).read_text(encoding="utf-8").splitlines()
