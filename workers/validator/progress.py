"""How far a comparison has come: what the control database keeps between two looks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict

from shared.domain.facts import PartitionFiles

FIRST_CHUNK_ROWS = 20_000
CHUNK_ROWS = (200, 100_000)
CHUNK_S = 0.4
"""What a chunk should take: short enough to hold back no vacuum and to be paced."""
VERDICT_AGE = timedelta(hours=1)
Phase = Literal["raw", "recheck", "target", "derived", "orphans", "done"]
PHASES: tuple[Phase, ...] = ("raw", "recheck", "target", "derived", "orphans", "done")


class Suspect(BaseModel):
    """A row that was not equal on both sides once; writes in between may be why."""

    model_config = ConfigDict(extra="forbid")

    table: int
    """Index in the mapping."""
    key: list[str]
    tries: int = 0
    still: int = 0
    """In how many of them, the last ones, it stood still on the source."""


class OpenPart(BaseModel):
    """A part of a table without a key that is not decided yet."""

    model_config = ConfigDict(extra="forbid")

    seen: list[tuple[int, str]] = []
    """Rows and the sum of their hashes, each that the source showed once."""

    def saw(self, *values: tuple[int, str]) -> None:
        self.seen = list(dict.fromkeys([*self.seen, *values]))


class Progress(BaseModel):
    """One comparison of all tables; changed in place, stored after each look."""

    model_config = ConfigDict(extra="forbid")

    phase: Phase = "raw"
    table: int = 0
    """Index of the table, or of the foreign key, that comes next."""
    after: list[str] | None = None
    """Key of the last row that is done in that table."""
    chunk_rows: int = FIRST_CHUNK_ROWS
    tries: int = 0
    """Of what has to be read whole: a table without a key, a foreign key."""
    open_parts: dict[int, OpenPart] = {}
    """Of a table without a key; empty at its beginning."""
    files: PartitionFiles | None = None
    """Before the first row was compared."""
    rows_total: int = 0
    """By the statistics of the source; only to say how far we are."""
    rows_compared: int = 0
    rows_checked: int = 0
    """On the target, against the file's own expressions."""
    lossy: dict[str, int] = {}
    """Columns whose `down` does not give the old value back: how many rows."""
    suspects: list[Suspect] = []
    first_suspects: int = 0
    confirmed: list[str] = []
    """Sentences, one for each row that is different."""
    at: datetime | None = None
    """When the comparison came to its end."""

    @property
    def is_fresh(self) -> bool:
        return self.at is not None and datetime.now(UTC) - self.at < VERDICT_AGE

    @property
    def share(self) -> float:
        """0 to 1, as well as the statistics allow."""
        whole = max(1, self.rows_total)
        raw = min(1.0, self.rows_compared / whole)
        checked = min(1.0, self.rows_checked / whole)
        if self.phase == "raw":
            return 0.7 * raw
        return {
            "recheck": 0.7,
            "target": 0.75 + 0.2 * checked,
            "derived": 0.94,
            "orphans": 0.95,
            "done": 1.0,
        }[self.phase]

    def next_phase(self) -> None:
        self.phase = PHASES[PHASES.index(self.phase) + 1]
        self._begin(0)

    def go_on(self, until: tuple[str, ...] | None, took_s: float, share: float) -> None:
        """Behind `until`; the next chunk is as large as this one was fast.

        `share`: of the usual size, while the application is slow.
        """
        factor = min(4.0, max(0.25, CHUNK_S * share / max(took_s, 0.001)))
        low, high = CHUNK_ROWS
        self.chunk_rows = min(high, max(low, int(self.chunk_rows * factor)))
        if until is None:
            self.next_table()
        else:
            self.after = list(until)

    def next_table(self) -> None:
        self._begin(self.table + 1)

    def _begin(self, table: int) -> None:
        self.table, self.after, self.tries, self.open_parts = table, None, 0, {}
