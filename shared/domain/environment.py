"""The two environments: a colour is a name and never changes, a role is what it does today."""

from __future__ import annotations

from enum import StrEnum


class Colour(StrEnum):
    BLUE = "blue"
    GREEN = "green"

    @property
    def other(self) -> Colour:
        return Colour.GREEN if self is Colour.BLUE else Colour.BLUE


class Role(StrEnum):
    """What an environment does today."""

    ACTIVE = "active"
    STANDBY = "standby"
