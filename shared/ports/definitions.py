"""What defines a database, as SQL: how a copy of it is begun and completed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Definitions:
    """Two scripts without a transaction of their own, to be run in this order."""

    tables: str
    """What rows need to be taken and found again: types, functions, tables, their keys."""
    rest: str
    """What is better made once the rows are there: indexes, foreign keys, triggers, policies."""


class Database(Protocol):
    """The migrated database on one side."""

    def definitions(self) -> Definitions:
        """Of everything in it that is not ours. Raises Refused where our role may not read it."""
        ...
