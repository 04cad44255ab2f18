"""What one operation does to what was there before: locks, work that grows, what is lost.

An operation is one statement, or one action of an ALTER TABLE. Only relations that existed before
the file and that others can see are counted: a table that the file itself makes is nobody's yet.
"""

from __future__ import annotations

from typing import NamedTuple

from shared.domain.kinds import Kind
from shared.sql.locks import Lock
from shared.sql.schema_objects import Relation

NONE: frozenset[str] = frozenset()
"""What most operations have of most things; a set of its own for each would be most of its size."""


class Reason(NamedTuple):
    """Why a file needs more than `safe`."""

    kind: Kind
    why: str
    remedy: str = ""


class Operation:
    __slots__ = (
        "breaks", "bulk", "columns", "destroys", "extensions", "gone", "indexes_held", "locks",
        "made", "not_written", "notes", "reasons", "related", "rewrites", "scans", "tables",
        "type",
    )  # fmt: skip

    def __init__(
        self, type_: str, tables: list[str] | None = None, locks: dict[str, Lock] | None = None
    ) -> None:
        self.type = type_
        """ADD_COLUMN, CREATE_INDEX_CONCURRENTLY, .. as the report names it."""
        self.tables: list[str] = [] if tables is None else tables
        self.columns: list[str] = []
        self.made = ""
        """Name of the constraint that it adds."""
        self.locks: dict[str, Lock] = {} if locks is None else locks
        """Strongest mode on each relation that existed before, by name."""
        self.indexes_held: frozenset[str] = NONE
        """Tables one of whose indexes is held: a plan of any query on the table has to wait."""
        self.scans: frozenset[str] = NONE
        """Tables read or built upon in full: work that grows with them."""
        self.rewrites: frozenset[str] = NONE
        self.destroys: tuple[str, ...] = ()
        self.bulk: tuple[str, ...] = ()
        """Tables of which one transaction changes many rows."""
        self.breaks: tuple[str, ...] = ()
        """Why old application code fails, or sees other data, afterwards."""
        self.extensions: tuple[str, ...] = ()
        self.reasons: tuple[Reason, ...] = ()
        self.notes: frozenset[str] = NONE
        """Marks for rules: `unvalidated`, `no-where`, `cascade`, .."""
        self.gone: tuple[str, ...] = ()
        """Every further object that goes with it (CASCADE, indexes of a dropped column)."""
        self.related = False
        """Something that it locks has parents or children, whose readers may have to wait too."""
        self.not_written: frozenset[str] = NONE
        """Materialized views among the locked: nobody writes them row by row."""

    def note(self, mark: str) -> None:
        self.notes |= {mark}

    def touch(self, relation: Relation) -> None:
        label = relation.label
        if label not in self.tables:
            self.tables.append(label)

    def lock(self, relation: Relation | None, mode: Lock) -> None:
        if relation is not None and relation.live:
            label = relation.label
            if label not in self.locks or mode > self.locks[label]:
                self.locks[label] = mode
            if relation.parents or relation.children:
                self.related = True
            if relation.kind != "table":
                self._note_writers(relation)

    def _note_writers(self, relation: Relation) -> None:
        if relation.kind == "materialized view":
            self.not_written |= {relation.label}

    def lock_all(self, relations: list[Relation], mode: Lock) -> None:
        for relation in relations:
            self.lock(relation, mode)

    def hold_indexes(self, relation: Relation) -> None:
        if relation.live:
            self.indexes_held |= {relation.label}
            self._note_writers(relation)
            self.related = self.related or bool(relation.parents or relation.children)

    def scan(self, relation: Relation | None) -> None:
        if relation is not None and relation.live:
            self.scans |= {relation.label}

    def scan_all(self, relations: list[Relation]) -> None:
        """Scan those that hold rows of their own."""
        self.scans |= {each.label for each in relations if each.stored and each.live}

    def rewrite(self, relation: Relation) -> None:
        if relation.live:
            self.rewrites |= {relation.label}
            self.scans |= {relation.label}

    def rewrite_all(self, relations: list[Relation]) -> None:
        found = {each.label for each in relations if each.stored and each.live}
        self.rewrites |= found
        self.scans |= found

    def needs(self, kind: Kind, why: str, remedy: str = "") -> None:
        self.reasons += (Reason(kind, why, remedy),)
