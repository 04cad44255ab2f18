"""The comparison itself, slice after slice: each call does about half a second of work.

A row that is on the source was committed before the barrier that follows, so what is still missing
on the target behind the barrier is not lag. What differs is a suspect and is read again: source,
barrier, target, source. Only what stood still on the source and differs on the target is confirmed.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field

from shared.domain.errors import Broken, Refused, Transient
from shared.mapping.comparison import (
    Comparison,
    DerivedComparison,
    Key,
    orphans,
    settings_for,
)
from shared.mapping.model import Mapping
from shared.ports import Session
from workers.validator.pace import Pace
from workers.validator.progress import Progress, Suspect

SLICE_S = 0.4
CHUNK_ROWS = (200, 100_000)
BARRIER_LIMIT_S = 3.0
BARRIER_LOOK_S = 0.005
RECHECK_ROWS = 500
RECHECKS = 20
SUSPECTS_LIMIT = 5_000
NAMED_ROWS = 20
MARK = "SELECT bluegreen_job.mark(%s)"
ARRIVED = "SELECT EXISTS (SELECT FROM bluegreen_job.marker WHERE token = %s)"
SUBSCRIPTION = "SELECT subenabled FROM pg_subscription WHERE subname = %s"
Hashes = dict[Key, int]


class Behind(Transient):
    """The target has not applied what the source had: look again later."""


@dataclass
class RowComparison:
    source: Session
    target: Session
    mapping: Mapping
    progress: Progress
    subscription: str
    pace: Pace = field(default_factory=Pace)

    def slice(self) -> None:
        """Do the next piece, and rest while the application is slow.

        Raises Behind while the target is too far behind.
        """
        time.sleep(self.pace.rest_s)
        {
            "raw": self._raw,
            "recheck": self._recheck,
            "target": self._target,
            "derived": self._derived,
            "orphans": self._orphans,
        }[self.progress.phase]()

    def barrier(self) -> None:
        """All that was committed on the source until now is applied on the target."""
        token = f"compare {uuid.uuid4()}"
        began = time.monotonic()
        self.source.value(MARK, [token])
        self.pace.note((time.monotonic() - began) * 1000)
        end = time.monotonic() + BARRIER_LIMIT_S
        while not self.target.value(ARRIVED, [token]):
            if self.target.value(SUBSCRIPTION, [self.subscription]) is False:
                raise Broken(
                    f"expected subscription {self.subscription} to apply, found it disabled by an"
                    " error: the target's log says which row it could not take"
                )
            if time.monotonic() > end:
                raise Behind("the target has not yet applied what the source had")
            time.sleep(BARRIER_LOOK_S)

    def _table(self) -> Comparison | None:
        """The table that comes next, both sessions set for it; None behind the last one."""
        if self.progress.table >= len(self.mapping.tables):
            return None
        return self._comparison(self.progress.table)

    def _comparison(self, number: int) -> Comparison:
        table = self.mapping.tables[number]
        for session in (self.source, self.target):
            session.execute("; ".join(settings_for(table)))
        return Comparison(table)

    def _raw(self) -> None:
        comparison = self._table()
        if comparison is None or len(self.progress.suspects) > SUSPECTS_LIMIT:
            self.progress.next_phase()
        elif comparison.table.key:
            self._raw_chunk(comparison)
        else:
            self._raw_whole(comparison)

    def _raw_chunk(self, comparison: Comparison) -> None:
        began = time.monotonic()
        progress = self.progress
        after = _key(progress.after)
        found = self.source.row(comparison.chunk_end(after, progress.chunk_rows))
        until = tuple(found) if found is not None else None
        digest = comparison.digest(after, until)
        there = self.source.row(digest)
        self.barrier()
        if there != self.target.row(digest):
            self._suspect(comparison, after, until)
        assert there is not None, "an aggregate has one row"
        progress.rows_compared += there[0]
        self._go_on(until, time.monotonic() - began)

    def _suspect(self, comparison: Comparison, after: Key | None, until: Key | None) -> None:
        query = comparison.hashes(after, until)
        there = _hashes(self.source, query)
        self.barrier()
        here = _hashes(self.target, query)
        number = self.progress.table
        keys = [key for key in there.keys() | here.keys() if there.get(key) != here.get(key)]
        self.progress.suspects += [Suspect(table=number, key=list(key)) for key in sorted(keys)]
        self.progress.first_suspects += len(keys)

    def _raw_whole(self, comparison: Comparison) -> None:
        """A table without a key: a multiset, read whole on both sides."""
        digest = comparison.digest(None, None)
        first = self.source.row(digest)
        self.barrier()
        here, second = self.target.row(digest), self.source.row(digest)
        assert first is not None, "an aggregate has one row"
        if here in (first, second):
            self.progress.rows_compared += first[0]
            self.progress.next_table()
        elif first == second:
            self.progress.confirmed.append(
                f"table {comparison.label} (no key): {first[0]} rows on the source and other rows,"
                " or other values, on the target"
            )
            self.progress.next_table()
        else:
            self._try_again(f"table {comparison.label} changes while it is read, and has no key")

    def _try_again(self, why: str) -> None:
        self.progress.tries += 1
        if self.progress.tries >= RECHECKS:
            raise Transient(f"{why}: {RECHECKS} tries, in a quieter hour it can be compared")

    def _recheck(self) -> None:
        progress = self.progress
        if not progress.suspects:
            progress.next_phase()
            return
        number = progress.suspects[0].table
        these = [s for s in progress.suspects if s.table == number][:RECHECK_ROWS]
        comparison = self._comparison(number)
        query = comparison.hashes_of([tuple(suspect.key) for suspect in these])
        first = _hashes(self.source, query)
        self.barrier()
        here, second = _hashes(self.target, query), _hashes(self.source, query)
        progress.suspects = [s for s in progress.suspects if s not in these]
        for suspect in these:
            key = tuple(suspect.key)
            values = (first.get(key), second.get(key))
            if here.get(key) in values:
                continue
            if values[0] == values[1]:
                self._confirm(comparison, key, values[0], here.get(key))
            else:
                self._keep(comparison, suspect)

    def _keep(self, comparison: Comparison, suspect: Suspect) -> None:
        suspect.tries += 1
        if suspect.tries >= RECHECKS:
            raise Transient(
                f"row {comparison.label} {_shown(comparison, suspect.key)} changes faster than it"
                " can be read on both sides"
            )
        self.progress.suspects.append(suspect)

    def _confirm(
        self, comparison: Comparison, key: Key, there: int | None, here: int | None
    ) -> None:
        how = "differs"
        if here is None:
            how = "is missing on the target"
        elif there is None:
            how = "is only on the target"
        self.progress.confirmed.append(
            f"row {comparison.label} {_shown(comparison, list(key))} {how}"
        )

    def _target(self) -> None:
        comparison = self._table()
        if comparison is None:
            self.progress.next_phase()
        elif comparison.has_target_checks:
            self._target_chunk(comparison)
        else:
            self.progress.next_table()

    def _target_chunk(self, comparison: Comparison) -> None:
        began = time.monotonic()
        progress, after, until = self.progress, _key(self.progress.after), None
        if comparison.table.key:
            found = self.target.row(comparison.chunk_end(after, progress.chunk_rows))
            until = tuple(found) if found is not None else None
        rows, local, inverse, local_keys = self._checked(comparison, after, until)
        progress.rows_checked += rows
        names = ", ".join(comparison.table.key)
        progress.confirmed += [
            f"row {comparison.label} {names}={key} was computed otherwise than by the file"
            for key in local_keys
        ]
        if local > len(local_keys):
            progress.confirmed.append(f"{local} such rows in one part of {comparison.label}")
        if inverse:
            label = comparison.table.final.label
            progress.lossy[label] = progress.lossy.get(label, 0) + inverse
        self._go_on(until, time.monotonic() - began)

    def _checked(
        self, comparison: Comparison, after: Key | None, until: Key | None
    ) -> tuple[int, int, int, list[str]]:
        """Rows, rows computed otherwise, rows without a way back, keys of the second.

        Where `down` itself fails on a row, there is no way back for at least that one.
        """
        try:
            query, failed = comparison.target_checks(after, until, with_down=True), 0
            row = self.target.row(query)
        except Refused:
            query, failed = comparison.target_checks(after, until, with_down=False), 1
            row = self.target.row(query)
        assert row is not None, "an aggregate has one row"
        rows, local, inverse, keys = row
        return rows, local, inverse + failed, keys or []

    def _go_on(self, until: Key | None, took_s: float) -> None:
        """Behind `until`; the next chunk is as large as this one was fast."""
        progress = self.progress
        wanted_s = SLICE_S * self.pace.share
        factor = min(4.0, max(0.25, wanted_s / max(took_s, 0.001)))
        low, high = CHUNK_ROWS
        progress.chunk_rows = min(high, max(low, int(progress.chunk_rows * factor)))
        if until is None:
            progress.next_table()
        else:
            progress.after = list(until)

    def _derived(self) -> None:
        """A table that the file made of another, whole: one query sees one moment of both."""
        progress = self.progress
        if progress.table >= len(self.mapping.derived):
            progress.next_phase()
            return
        made = self.mapping.derived[progress.table]
        comparison = DerivedComparison(self.mapping, made)
        self.target.execute("; ".join(settings_for(made)))
        row = self.target.row(comparison.checks())
        extra = self.target.row(comparison.extra())
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

    def _orphans(self) -> None:
        """A foreign key is asked again while it fails: its parent may be on the way."""
        progress = self.progress
        if progress.table >= len(self.mapping.foreign_keys):
            progress.next_phase()
            return
        key = self.mapping.foreign_keys[progress.table]
        row = self.target.row(orphans(self.mapping, key, "sync"))
        assert row is not None, "an aggregate has one row"
        if row[0] == 0:
            progress.next_table()
        elif progress.tries < RECHECKS:
            progress.tries += 1
            self.barrier()
        else:
            progress.confirmed.append(
                f"foreign key {key.name}: {row[0]} rows of {key.table.label} have no parent, one is"
                f" {row[1]}"
            )
            progress.next_table()


def _key(after: list[str] | None) -> Key | None:
    return None if after is None else tuple(after)


def _hashes(session: Session, query: str) -> Hashes:
    return {tuple(key): value for key, value in session.rows(query)}


def _shown(comparison: Comparison, key: list[str]) -> str:
    """`id=17`, with several columns `(id, day)=(17, 2026-01-01)`."""
    names = comparison.table.key
    if len(names) == 1:
        return f"{names[0]}={key[0]}"
    return f"({', '.join(names)})=({', '.join(key)})"
