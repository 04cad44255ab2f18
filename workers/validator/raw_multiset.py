"""A table without a key, compared as a multiset of rows: in parts, which rows fall into by hash.

There is no row to read again, so each part is read until the target shows in it what the source
showed, before or after. A part that is never so while the source stands still is damage. Once or
twice proves nothing: a row that wanders through a part leaves it on the source as it found it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from shared.domain.errors import Transient
from shared.mapping.comparison import Comparison
from shared.ports import Session
from workers.validator.both_sides import BothSides, beside
from workers.validator.progress import OpenPart, Progress

TRIES = 40
STILL_TRIES = 8
EMPTY = (0, "0")
Parts = dict[int, tuple[int, str]]
"""Of each part: rows, and the sum of their hashes."""


@dataclass
class RawMultiset:
    sides: BothSides
    comparison: Comparison
    progress: Progress

    def read(self) -> None:
        """Once source, barrier, both sides. What is not decided then stays for the next time."""
        progress = self.progress
        first_time = not progress.open_parts
        query = self.comparison.multiset(sorted(progress.open_parts))
        first = _parts(self.sides.source, query)
        self.sides.barrier()
        with beside(partial(_parts, self.sides.target, query)) as there:
            second = _parts(self.sides.source, query)
        here = there.result()
        if first_time:
            progress.rows_compared += sum(rows for rows, _ in second.values())
        left: dict[int, OpenPart] = {}
        for number in progress.open_parts or {*first, *second, *here}:
            part = progress.open_parts.get(number, OpenPart())
            part.saw(first.get(number, EMPTY), second.get(number, EMPTY))
            if here.get(number, EMPTY) not in part.seen:
                left[number] = part
        progress.open_parts = left
        progress.tries += 1
        self._judge(here)

    def _judge(self, here: Parts) -> None:
        parts = self.progress.open_parts
        still = [number for number, part in parts.items() if len(part.seen) == 1]
        if not parts:
            self.progress.next_table()
        elif still and self.progress.tries >= STILL_TRIES:
            theirs = sum(parts[number].seen[0][0] for number in still)
            ours = sum(here.get(number, EMPTY)[0] for number in still)
            self.progress.confirmed.append(
                f"table {self.comparison.label} (no key): among {theirs} rows on the source and"
                f" {ours} on the target, which hash alike, some are missing, too many, or different"
            )
            self.progress.next_table()
        elif self.progress.tries >= TRIES:
            raise Transient(
                f"table {self.comparison.label} changes while it is read, and has no key: {TRIES}"
                " tries; in a quieter hour it can be compared"
            )


def _parts(session: Session, query: str) -> Parts:
    return {part: (rows, total) for part, rows, total in session.rows(query)}
