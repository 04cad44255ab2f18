"""The comparison itself, phase after phase, in pieces of about half a second.

raw      the replicated columns are equal on both sides (raw_rows.py, raw_multiset.py)
recheck  or were not for a moment only (recheck.py)
target   what the file computes is what the file says
derived  and so is each table that it made of another
orphans  and each row has the parent that a new foreign key asks for
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from shared.domain.errors import Refused
from shared.mapping.comparison import Comparison, settings_for
from shared.mapping.derived.comparison import DerivedComparison
from shared.mapping.keyed_rows import Key, KeyedRows
from shared.mapping.model import Mapping, Table
from shared.mapping.target_comparison import TargetComparison, orphans
from workers.validator.both_sides import BothSides
from workers.validator.progress import Progress
from workers.validator.raw_multiset import RawMultiset
from workers.validator.raw_rows import SUSPECTS_LIMIT, RawRows
from workers.validator.recheck import Recheck

ORPHAN_TRIES = 20
NAMED_ROWS = 20
NAMED_IN_ONE = 5
"""Rows computed otherwise, of one piece."""


@dataclass
class RowComparison:
    sides: BothSides
    mapping: Mapping
    progress: Progress

    def work(self, end: float) -> None:
        """Go on until `end` (monotonic), or until all phases are done; the piece that is begun is
        ended. Rests while the application is slow.

        Raises Behind while the target is too far behind.
        """
        while self.progress.phase != "done" and time.monotonic() < end:
            time.sleep(self.sides.pace.rest_s)
            {
                "raw": self._raw,
                "recheck": self._recheck,
                "target": self._target,
                "derived": self._derived,
                "orphans": self._orphans,
            }[self.progress.phase](end)

    def _table(self) -> Table | None:
        """The table that comes next, both sessions set for it; None behind the last one."""
        if self.progress.table >= len(self.mapping.tables):
            return None
        table = self.mapping.tables[self.progress.table]
        self.sides.settle(table)
        return table

    def _raw(self, end: float) -> None:
        """All rows, whatever was found: only damage beyond counting ends it early."""
        if len(self.progress.suspects) > SUSPECTS_LIMIT:
            self._recheck(end)
            return
        table = self._table()
        if table is None or len(self.progress.confirmed) > SUSPECTS_LIMIT:
            self.progress.next_phase()
        elif table.key:
            RawRows(self.sides, Comparison(table), self.progress).read(end)
        else:
            RawMultiset(self.sides, Comparison(table), self.progress).read()

    def _recheck(self, _: float) -> None:
        if self.progress.suspects:
            Recheck(self.sides, self.mapping, self.progress).some()
        else:
            self.progress.next_phase()

    def _target(self, _: float) -> None:
        table = self._table()
        if table is None:
            self.progress.next_phase()
        elif (comparison := TargetComparison(table)).has_checks:
            self._target_chunk(comparison)
        else:
            self.progress.next_table()

    def _target_chunk(self, comparison: TargetComparison) -> None:
        began = time.monotonic()
        progress, after, until = self.progress, _key(self.progress.after), None
        if comparison.table.key:
            rows_of = KeyedRows(comparison.table)
            found = self.sides.target.row(rows_of.chunk_end(after, progress.chunk_rows))
            until = tuple(found) if found is not None else None
        rows, local, inverse = self._checked(comparison, after, until)
        progress.rows_checked += rows
        if local:
            self._name(comparison, after, until, local)
        if inverse:
            label = comparison.table.final.label
            progress.lossy[label] = progress.lossy.get(label, 0) + inverse
        progress.go_on(until, time.monotonic() - began, self.sides.pace.share)

    def _checked(
        self, comparison: TargetComparison, after: Key | None, until: Key | None
    ) -> tuple[int, int, int]:
        """Rows, rows computed otherwise, rows without a way back.

        Where `down` itself fails on a row, there is no way back for at least that one.
        """
        try:
            query, failed = comparison.checks(after, until, with_down=True), 0
            row = self.sides.target.row(query)
        except Refused:
            query, failed = comparison.checks(after, until, with_down=False), 1
            row = self.sides.target.row(query)
        assert row is not None, "an aggregate has one row"
        rows, local, inverse = row
        return rows, local, inverse + failed

    def _name(
        self, comparison: TargetComparison, after: Key | None, until: Key | None, local: int
    ) -> None:
        query = comparison.first_computed_otherwise(after, until, NAMED_IN_ONE)
        names, label = ", ".join(comparison.table.key), comparison.table.sync.label
        keys = [row[0] for row in self.sides.target.rows(query)]
        self.progress.confirmed += [
            f"row {label} {names}={key} was computed otherwise than by the file" for key in keys
        ]
        if local > len(keys):
            self.progress.confirmed.append(
                f"{local} rows in one part of {label} were computed otherwise"
            )

    def _derived(self, _: float) -> None:
        """A table that the file made of another, whole: one query sees one moment of both."""
        progress = self.progress
        if progress.table >= len(self.mapping.derived):
            progress.next_phase()
            return
        made = self.mapping.derived[progress.table]
        comparison = DerivedComparison(self.mapping, made)
        self.sides.target.execute("; ".join(settings_for(made)))
        row = self.sides.target.row(comparison.checks())
        extra = self.sides.target.row(comparison.extra())
        assert row is not None, "an aggregate has one row"
        assert extra is not None, "an aggregate has one row"
        rows, local, inverse, keys = row
        progress.rows_checked += rows
        label = made.final.label
        progress.confirmed += [
            f"row {label} of {made.source.label} {key} is another than by the file"
            for key in keys or []
        ]
        if local > len(keys or []):
            progress.confirmed.append(f"{local} such rows in {label}")
        if extra[0]:
            progress.confirmed.append(
                f"{extra[0]} rows of {label} come from no row of {made.source.label}, one is"
                f" {extra[1]}"
            )
        if inverse:
            progress.lossy[label] = progress.lossy.get(label, 0) + inverse
        progress.next_table()

    def _orphans(self, _: float) -> None:
        """A foreign key is asked again while it fails: its parent may be on the way."""
        progress = self.progress
        if progress.table >= len(self.mapping.foreign_keys):
            progress.next_phase()
            return
        key = self.mapping.foreign_keys[progress.table]
        row = self.sides.target.row(orphans(self.mapping, key, "sync"))
        assert row is not None, "an aggregate has one row"
        if row[0] == 0:
            progress.next_table()
        elif progress.tries < ORPHAN_TRIES:
            progress.tries += 1
            self.sides.barrier()
        else:
            progress.confirmed.append(
                f"foreign key {key.name}: {row[0]} rows of {key.table.label} have no parent, one is"
                f" {row[1]}"
            )
            progress.next_table()


def _key(after: list[str] | None) -> Key | None:
    return None if after is None else tuple(after)
