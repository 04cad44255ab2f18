"""The replicated columns of one table with a key: equal on both sides, or suspect.

Both sides read their next rows at the same moment. What is equal then is equal, whatever is on its
way; what is not is read again behind a barrier, in parts, down to the rows that differ.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial

from shared.mapping.comparison import Comparison
from shared.mapping.keyed_rows import Key
from shared.ports import Row, Session
from workers.validator.both_sides import BothSides, beside
from workers.validator.progress import Progress, Suspect

SUSPECTS_LIMIT = 5_000
"""How many may wait to be read again before that must be done."""


@dataclass
class RawRows:
    sides: BothSides
    comparison: Comparison
    progress: Progress

    def read(self, end: float) -> None:
        """Go on behind the last piece, until the table or the time (monotonic) has an end.

        Raises Behind while the target is too far behind to tell lag from damage.
        """
        number = self.progress.table
        while True:
            self._piece()
            done = self.progress.table != number
            if done or len(self.progress.suspects) > SUSPECTS_LIMIT or time.monotonic() > end:
                return
            time.sleep(self.sides.pace.rest_s)

    def _piece(self) -> None:
        began = time.monotonic()
        progress = self.progress
        after = None if progress.after is None else tuple(progress.after)
        query = self.comparison.next_rows(after, progress.chunk_rows)
        there, here = self._both(query)
        ((rows, _, until),) = there
        if there != here:
            self._suspect(after, until)
        progress.rows_compared += rows
        took_s = time.monotonic() - began
        self.sides.look_at_pace()
        progress.go_on(until, took_s, self.sides.pace.share)

    def _suspect(self, after: Key | None, until: Key | None) -> None:
        """Note the rows that are not equal on both sides now; a recheck tells lag from damage."""
        self.sides.barrier()
        there, here = self._both(self.comparison.digests(after, until))
        parts = sorted({part for part, *_ in there ^ here})
        if not parts:
            return
        there, here = self._both(self.comparison.hashes(after, until, parts))
        keys = sorted({key for key, _ in there ^ here})
        number = self.progress.table
        self.progress.suspects += [Suspect(table=number, key=list(key)) for key in keys]
        self.progress.first_suspects += len(keys)

    def _both(self, query: str) -> tuple[set[Row], set[Row]]:
        """What either side answers at the same time; keys as tuples."""
        with beside(partial(_answer, self.sides.target, query)) as here:
            there = _answer(self.sides.source, query)
        return there, here.result()


def _answer(session: Session, query: str) -> set[Row]:
    return {
        tuple(tuple(value) if isinstance(value, list) else value for value in row)
        for row in session.rows(query)
    }
