"""The mapping: each table and column in both shapes, and what is carried how. Stored as JSON.

Two states of names: in *sync* both sides wear the source's names, in *final* the file's. A column
that stands on both sides has the same name on both in each state, so replication finds it.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from shared.mapping.chain_model import Chain
from shared.mapping.derived_model import Derived
from shared.mapping.name_states import Name, NameState


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Column(_Frozen):
    """One physical column.

    kept       on both sides, replicated as it is (renamed when the names differ, widened when
               the types do)
    landing    on both sides; on the target it stands beside the computed column
    generated  on both sides, computed by each server for itself, not replicated
    computed   on the target only: what the file makes of a landing column
    new        on the target only: added by the file
    dropped    on the source only: the file drops it and nothing reads it
    """

    kind: Literal["kept", "landing", "generated", "computed", "new", "dropped"]
    sync: str
    final: str
    type: str
    """On the target; of a dropped column on the source."""
    source_type: str | None = None
    """On the source, where the column stands on both sides."""
    key: bool = False
    collation: str | None = None
    """Of a column that is replicated, where it is not its type's own."""
    not_null: bool = False
    """On the source, for landing and dropped columns."""
    fill: str | None = None
    """SQL constant for rows that have no old value, where NULL is not allowed."""
    born: str | None = None
    """Of a landing column that the file drops: its default, for rows born on the target."""
    start: str | None = None
    """Of a new column: the constant with which the file adds it to every row."""
    checks: list[str] = []
    """Of a landing column: conditions of the source that its value must meet, over its old name."""
    down: str | None = None
    """Of a landing column: the expression over the final row that gives the old value back."""
    down_given: bool = False
    """The user wrote it (`-- bluegreen: down`); otherwise it is the assignment cast."""
    down_reads: list[str] = []
    """Final names of the columns that `down` reads."""
    derived: bool = False
    """Of a landing column: its value comes back from a table that the file made of this one."""

    def name(self, state: NameState) -> str:
        return self.sync if state == "sync" else self.final

    @property
    def on_source(self) -> bool:
        return self.kind in ("kept", "landing", "generated", "dropped")

    @property
    def on_target(self) -> bool:
        return self.kind != "dropped"

    @property
    def published(self) -> bool:
        return self.kind in ("kept", "landing")


class Relaxation(_Frozen):
    """What the source must not insist on while rows that were born on the target come back.

    `relax` and `restore` run on the source with names in state sync; `settle` later, in peace.
    """

    what: str
    relax: list[str]
    restore: list[str]
    settle: list[str] = []
    table: Name | None = None
    """Whose constraint it is, where that is another table: one that the file drops."""


class Retained(_Frozen):
    """What the target goes on to forbid until the job ends, since the source forbids it."""

    what: str
    create: list[str]
    """In state sync, when the file has run."""
    drop: list[str]
    """In state final; may be repeated."""


class Table(_Frozen):
    """One replicated table; of a partitioned one its root."""

    sync: Name
    final: Name
    columns: list[Column]
    key: list[str] = []
    """Sync names of the key's columns; empty: rows are compared as a multiset."""
    identity_full: bool = False
    """REPLICA IDENTITY FULL: the server allows no column list then, so all columns travel."""
    found_by_key: bool = False
    """Of such a table: the file changes its columns, and it has a primary key. The target's own
    identity is that key until the job ends, so that it can send some columns only."""
    only: bool = False
    """Has or is an inherited table: children are replicated by themselves."""
    nested: bool = False
    """A partition of it is partitioned itself: DROP EXPRESSION does not reach what lies below."""
    partitions: list[Name] = []
    """Those with rows of their own, under one name in both states, where each is replicated by
    itself instead of through the root: then TRUNCATE of one is carried (partitions.py)."""
    emptied_by_rows: list[Name] = []
    """The target's partitions, by their final names, of a table that is replicated through its
    root: TRUNCATE of one deletes its rows first, which is carried (emptied_partitions.py)."""
    chains: list[Chain] = []
    added_defaults: dict[str, str] = {}
    """New columns (final name) whose default at their addition is not the one they ended with."""
    settings: dict[str, str] = {}
    """Session settings under which the file's expressions were read."""
    relaxations: list[Relaxation] = []
    retained: list[Retained] = []
    triggers_off: dict[str, str] = {}
    """The user's triggers that must not fire for the file's UPDATE: name before, name after."""

    def name(self, state: NameState) -> Name:
        return self.sync if state == "sync" else self.final

    def of(self, *kinds: str) -> list[Column]:
        return [column for column in self.columns if column.kind in kinds]

    def column(self, final: str) -> Column:
        """The target's column of that final name."""
        return next(c for c in self.columns if c.on_target and c.final == final)

    @property
    def key_columns(self) -> list[Column]:
        by_name = {column.sync: column for column in self.columns if column.published}
        return [by_name[name] for name in self.key]

    @property
    def changed(self) -> bool:
        return (
            self.sync != self.final
            or bool(self.chains or self.relaxations or self.retained or self.added_defaults)
            or any(
                column.kind not in ("kept", "generated")
                or column.sync != column.final
                or column.type != column.source_type
                for column in self.columns
            )
        )


class Moved(_Frozen):
    """A relation that is no replicated table and has another name in one of the two states."""

    sync: Name
    final: Name

    def name(self, state: NameState) -> Name:
        return self.sync if state == "sync" else self.final


class Relabelled(_Frozen):
    """A value of an enum type that the file renames: it has a name in either state, too."""

    sync_type: str
    final_type: str
    """Qualified names of the type on the source and on the target."""
    sync: str
    final: str


class Waiting(_Frozen):
    """A statement of the file that runs in the pause, on the target in state final."""

    text: str
    settings: dict[str, str]
    """Those in force where it stands."""


class AtCutover(_Frozen):
    statements: list[Waiting]
    run_as: str


class ForeignKey(_Frozen):
    """A foreign key that the file adds: apply does not check it, so the comparison does."""

    name: str
    table: Name
    """Final names, here and below."""
    columns: list[str]
    referenced: Name
    referenced_columns: list[str]


class Mapping(_Frozen):
    version: int = 1
    tables: list[Table]
    created: list[Name] = []
    """Tables that the file makes: nothing of them is replicated."""
    derived: list[Derived] = []
    dropped: list[Name] = []
    """Tables that the file drops: they stay on the source until the job ends."""
    moved_on_target: list[Moved] = []
    moved_on_source: list[Moved] = []
    relabelled: list[Relabelled] = []
    at_cutover: AtCutover | None = None
    foreign_keys: list[ForeignKey] = []
    not_common: list[str] = []
    """What an application may not use in both shapes."""
    other_meaning: list[str] = []
    """Columns that keep their name and change what it means."""
    warnings: list[str] = []
    columns_not_compared: list[str] = []

    @property
    def changed_tables(self) -> list[Table]:
        return [table for table in self.tables if table.changed]
