"""What one operation does to what was there before: locks, work that grows, what is lost.

An operation is one statement, or one action of an ALTER TABLE. Only relations that existed before
the file and that others can see are counted: a table that the file itself makes is nobody's yet.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.domain.kinds import Kind
from shared.sql.catalog import Relation
from shared.sql.locks import Lock, strongest


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a file needs more than `safe`."""

    kind: Kind
    why: str
    remedy: str = ""


@dataclass(slots=True)
class Operation:
    type: str
    """ADD_COLUMN, CREATE_INDEX_CONCURRENTLY, .. as the report names it."""
    tables: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    made: str = ""
    """Name of the constraint that it adds."""
    locks: dict[str, Lock] = field(default_factory=dict)
    """Strongest mode on each relation that existed before, by name."""
    indexes_held: dict[str, Lock] = field(default_factory=dict)
    """Tables one of whose indexes is held: a plan of any query on the table has to wait."""
    scans: set[str] = field(default_factory=set)
    """Tables read or built upon in full: work that grows with them."""
    rewrites: set[str] = field(default_factory=set)
    destroys: list[str] = field(default_factory=list)
    bulk: list[str] = field(default_factory=list)
    """Tables of which one transaction changes many rows."""
    breaks: list[str] = field(default_factory=list)
    """Why old application code fails, or sees other data, afterwards."""
    extensions: list[str] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    notes: set[str] = field(default_factory=set)
    """Marks for rules: `unvalidated`, `no-where`, `cascade`, .."""
    gone: list[str] = field(default_factory=list)
    """Every further object that goes with it (CASCADE, indexes of a dropped column)."""
    not_written: set[str] = field(default_factory=set)
    """Views and materialized views among the locked: nobody writes them row by row."""

    def touch(self, relation: Relation) -> None:
        if relation.label not in self.tables:
            self.tables.append(relation.label)

    def lock(self, relation: Relation | None, mode: Lock) -> None:
        if relation is not None and relation.live:
            self.locks[relation.label] = strongest(self.locks.get(relation.label), mode)
            if relation.kind in ("view", "materialized view"):
                self.not_written.add(relation.label)

    def lock_all(self, relations: list[Relation], mode: Lock) -> None:
        for relation in relations:
            self.lock(relation, mode)

    def hold_indexes(self, relation: Relation, mode: Lock = Lock.ACCESS_EXCLUSIVE) -> None:
        if relation.live:
            self.indexes_held[relation.label] = mode

    def scan(self, relation: Relation | None) -> None:
        if relation is not None and relation.live:
            self.scans.add(relation.label)

    def scan_all(self, relations: list[Relation]) -> None:
        """Scan those that hold rows of their own."""
        for relation in relations:
            if relation.stored:
                self.scan(relation)

    def rewrite(self, relation: Relation) -> None:
        if relation.live:
            self.rewrites.add(relation.label)
            self.scans.add(relation.label)

    def rewrite_all(self, relations: list[Relation]) -> None:
        for relation in relations:
            if relation.stored:
                self.rewrite(relation)

    def needs(self, kind: Kind, why: str, remedy: str = "") -> None:
        self.reasons.append(Reason(kind, why, remedy))
