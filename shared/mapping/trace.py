"""What a rehearsal saw: the raw material of a mapping."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.mapping.snapshot import Snapshot
from shared.sql.parse import Statement


@dataclass(frozen=True, slots=True)
class SeenAssignment:
    attnum: int
    expression: str
    plain: bool
    """The expression is the column itself: only the type changes."""


@dataclass(frozen=True, slots=True)
class SeenChange:
    """A data change of the file, with names resolved by the server at that moment."""

    statement: Statement
    table: int
    alias: str
    assignments: tuple[SeenAssignment, ...]
    condition: str | None
    reads: tuple[int, ...]
    """Attribute numbers that expressions and condition read."""
    retypes: bool
    before: Snapshot
    """Just before the statement: its names and types are those that the expressions use."""
    after: Snapshot
    settings: dict[str, str] = field(default_factory=dict)
    by_path: bool = True
    """Its words mean something by the search_path only; False: all are PostgreSQL's own."""


@dataclass(frozen=True, slots=True)
class SeenItem:
    """One column that a copy fills."""

    attnum: int
    """Of the new table."""
    expression: str
    bare: int | None
    """Attribute number of the source's column that the expression is, unchanged."""


@dataclass(frozen=True, slots=True)
class SeenCopy:
    """A new table that the file fills, one row from one row of another table."""

    statement: Statement
    source: int
    target: int
    alias: str
    items: tuple[SeenItem, ...]
    condition: str | None
    reads: tuple[int, ...]
    before: Snapshot
    after: Snapshot
    settings: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SeenDown:
    """A `-- bluegreen: down` directive, analysed against the final shape."""

    line: int
    table: int
    column: str
    expression: str
    reads: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    before: Snapshot
    after: Snapshot
    changes: tuple[SeenChange, ...] = ()
    downs: tuple[SeenDown, ...] = ()
    first_defaults: dict[tuple[int, int], str | None] = field(default_factory=dict)
    """(table, attnum) of an added column: the default right after it was added."""
    dropped_constraints: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """Table: names of constraints that the file drops by name."""
    copies: tuple[SeenCopy, ...] = ()
