"""Constraints that a file drops: by name, or with a column, a table, a function that they need.

The source still has them, under the names that they began with. A constraint that is made anew
under its name by a change of a column's type is not dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.mapping.snapshot import SeenConstraint, SeenRelation, Snapshot


@dataclass
class DroppedConstraints:
    found: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """Table: names that they had before the file."""
    _first: dict[tuple[int, str], str] = field(default_factory=dict)
    """(table, name now): the name before the file, of those that the file renamed."""

    def note(
        self, last: Snapshot, now: Snapshot, table: int = 0, names: tuple[str, ...] = ()
    ) -> None:
        """What one statement did: the catalogs before and after it. `table`, `names`: what it drops
        by name, and may make again under that."""
        for oid, relation in last.relations.items():
            later = now.relations.get(oid)
            by_name = names if oid == table else ()
            if later is None or (later.constraints == relation.constraints and not by_name):
                continue
            for constraint in relation.constraints:
                self._note(oid, constraint, later, by_name)

    def _note(
        self, table: int, constraint: SeenConstraint, later: SeenRelation, by_name: tuple[str, ...]
    ) -> None:
        first = self._first.pop((table, constraint.name), constraint.name)
        left = {each.oid: each.name for each in later.constraints}
        if constraint.name not in by_name:
            stays = constraint.name in left.values()
            name = left.get(constraint.oid, constraint.name if stays else None)
            if name is not None:
                if name != first:
                    self._first[(table, name)] = first
                return
        self.found[table] = (*self.found.get(table, ()), first)
