"""Suspects are read again: is it lag, or is it damage?

What the source shows before the barrier has arrived on the target behind it. So the target must
show a value that the source had from there on. What stands still there and differs, time after time
and while every value is watched, is damage; once could be a row that went there and back.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial

from shared.domain.errors import Transient
from shared.mapping.comparison import Comparison
from shared.mapping.keyed_rows import Key
from shared.mapping.model import Mapping
from shared.ports import Session
from workers.validator.both_sides import BothSides, beside
from workers.validator.progress import Progress, Suspect

ROWS = 500
"""At a time."""
HOT_ROWS = 50
"""The same of those that changed while they were read: all their values are watched."""
BETWEEN_VALUES_S = 0.0005
TRIES = 20
STILL_TRIES = 3
Hashes = dict[Key, int]


@dataclass
class Recheck:
    sides: BothSides
    mapping: Mapping
    progress: Progress

    def some(self) -> None:
        """The suspects that come next: cleared, confirmed, or kept for another time.

        Raises Behind while the target is too far behind.
        """
        these = self._next()
        table = self.mapping.tables[these[0].table]
        self.sides.settle(table)
        comparison = Comparison(table)
        values, here = self._read(comparison, these)
        self.progress.suspects = [s for s in self.progress.suspects if s not in these]
        for suspect in these:
            key = tuple(suspect.key)
            there = {version.get(key) for version in values}
            if here.get(key) in there:
                continue
            suspect.tries += 1
            suspect.still = suspect.still + 1 if len(there) == 1 else 0
            missing = key not in here and None not in there
            if suspect.still >= STILL_TRIES or (missing and suspect.tries >= TRIES):
                self._confirm(comparison, suspect, there, here.get(key))
            else:
                self._keep(comparison, suspect)

    def _next(self) -> list[Suspect]:
        first = self.progress.suspects[0]
        most = HOT_ROWS if first.tries else ROWS
        alike = (
            s for s in self.progress.suspects
            if s.table == first.table and bool(s.tries) == bool(first.tries)
        )  # fmt: skip
        return [suspect for _, suspect in zip(range(most), alike, strict=False)]

    def _read(self, comparison: Comparison, these: list[Suspect]) -> tuple[list[Hashes], Hashes]:
        """What the source showed one time after the other, and what the target showed meanwhile."""
        query = comparison.hashes_of([tuple(suspect.key) for suspect in these])
        values = [_hashes(self.sides.source, query)]
        token = self.sides.mark()
        with beside(partial(self._behind, token, query)) as here:
            while these[0].tries and not here.done():
                values.append(_hashes(self.sides.source, query))
                time.sleep(BETWEEN_VALUES_S)
        found = here.result()
        values.append(_hashes(self.sides.source, query))
        return values, found

    def _behind(self, token: str, query: str) -> Hashes:
        self.sides.arrive(token)
        return _hashes(self.sides.target, query)

    def _keep(self, comparison: Comparison, suspect: Suspect) -> None:
        if suspect.tries >= TRIES:
            raise Transient(
                f"row {comparison.label} {_shown(comparison, suspect)} changes faster than it"
                " can be read on both sides"
            )
        self.progress.suspects.append(suspect)

    def _confirm(
        self, comparison: Comparison, suspect: Suspect, there: set[int | None], here: int | None
    ) -> None:
        how = "differs"
        if here is None:
            how = "is missing on the target"
        elif there == {None}:
            how = "is only on the target"
        self.progress.confirmed.append(
            f"row {comparison.label} {_shown(comparison, suspect)} {how}"
        )


def _hashes(session: Session, query: str) -> Hashes:
    return {tuple(key): value for key, value in session.rows(query)}


def _shown(comparison: Comparison, suspect: Suspect) -> str:
    """`id=17`, with several columns `(id, day)=(17, 2026-01-01)`."""
    names = comparison.table.key
    if len(names) == 1:
        return f"{names[0]}={suspect.key[0]}"
    return f"({', '.join(names)})=({', '.join(suspect.key)})"
