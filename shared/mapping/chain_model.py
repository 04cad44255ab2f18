"""What the file computes of a row: operations that depend on each other, as a chain."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Value(_Frozen):
    """Something an expression reads: a column of the target, or an earlier result of the chain."""

    column: str | None = None
    """Final name."""
    slot: int | None = None
    cast: str | None = None
    """Type to cast to: a user-defined type that landed as text."""


class Read(_Frozen):
    """A column that an expression reads, under its name of that moment in the file."""

    name: str
    value: Value


class Assignment(_Frozen):
    expression: str
    """As it stands in the file."""
    slot: int
    """Where the result goes."""
    plain: bool = False
    """The column itself: only the type changes."""
    before: Value | None = None
    """The value that stays when the statement's condition does not hold."""


class Operation(_Frozen):
    """One statement of the file that computes: an ALTER TYPE, or an UPDATE of the row itself."""

    line: int
    alias: str
    """What the expressions call the row."""
    reads: list[Read]
    condition: str | None = None
    assignments: list[Assignment]
    by_path: bool = True
    """It uses functions, types or collations that are not PostgreSQL's own."""


class Result(_Frozen):
    column: str
    """Final name of the computed or new column."""
    slot: int


class Chain(_Frozen):
    """Operations that depend on each other: computed together, or skipped together."""

    inputs: list[str]
    """Final names of the replicated columns that the whole chain depends on."""
    slots: list[str]
    """Type of each intermediate result."""
    starts: dict[int, str] = {}
    """Slots that begin as an expression: the default a new column was added with."""
    operations: list[Operation]
    results: list[Result]
