"""A table that the file makes of a replicated one, and what it gives back."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from shared.mapping.chain_model import Read
from shared.mapping.name_states import Name, NameState


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Filled(_Frozen):
    """A column of a derived table, and what fills it."""

    column: str
    type: str
    expression: str


class PutBack(_Frozen):
    """What a derived table gives back to a landing column of the table that it was made of."""

    landing: str
    """Final name."""
    sync: str
    type: str
    expression: str
    """Over the derived table's row."""
    reads: list[str]
    """The derived table's columns that it reads."""
    fill: str = "NULL"
    """What the landing column holds when the derived row is gone."""
    checks: list[str] = []


class Derived(_Frozen):
    """A table that the file makes and fills, one row from one row of a replicated table.

    It is not replicated: triggers on the target keep it in step with the table it came from, and
    in the window give back what only it has.
    """

    line: int
    source: Name
    """Final name of the replicated table."""
    sync: Name
    final: Name
    """Of the derived table itself."""
    alias: str
    reads: list[Read]
    """Columns of the replicated table; never slots."""
    condition: str | None = None
    filled: list[Filled]
    key: list[str]
    """The derived table's columns that hold the key, in its order."""
    settings: dict[str, str] = {}
    put_back: list[PutBack] = []

    def name(self, state: NameState) -> Name:
        return self.sync if state == "sync" else self.final
