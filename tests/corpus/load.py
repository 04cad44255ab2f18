"""The application: every case writes all the time, in the shape of the side that it is led to.

What was acknowledged is remembered in its order, so that the same can be done once more elsewhere.
Nothing is tried again: what fails for the application has failed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self

import psycopg

from tests.corpus.case import Case, Shape
from tests.support.wait import until

PERIOD_S = 0.03
"""Of one writer; on a small machine faster ones measure the machine."""
ROUNDS_LIMIT_S = 120.0
QUIET_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Written:
    """One acknowledged transaction."""

    shape: Shape
    turn: int
    n: int
    took_ms: float


@dataclass
class _Writer:
    """The writes of one case; used by one thread."""

    case: Case
    n: int = 1000
    turns: dict[Shape, int] = field(default_factory=lambda: {"old": 0, "new": 0})
    written: list[Written] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def write(self, connection: psycopg.Connection, shapes: Mapping[str, Shape]) -> None:
        self.n += 1
        began = time.monotonic()
        with connection.transaction():
            row = connection.execute("SELECT current_setting('cluster_name')").fetchone()
            assert row is not None
            shape = shapes[row[0]]
            turn = self.turns[shape]
            sql = self.case.write(shape, turn, self.n)
            connection.execute(f"SET LOCAL search_path = {self.case.name}; {sql}")
        self.turns[shape] += 1
        took_ms = (time.monotonic() - began) * 1000
        self.written.append(Written(shape, turn, self.n, took_ms))


@dataclass
class Load:
    """`with Load(dsn, cases, {"blue": "old", "green": "new"}) as load:`, by the pooled door."""

    dsn: str
    cases: Sequence[Case]
    shapes: Mapping[str, Shape]
    """cluster_name of a server: the shape in which it serves."""
    threads: int = 12
    _go: threading.Event = field(default_factory=threading.Event)
    _stop: threading.Event = field(default_factory=threading.Event)
    _busy: set[int] = field(default_factory=set)
    _workers: list[threading.Thread] = field(default_factory=list)
    writers: dict[str, _Writer] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self.writers = {case.name: _Writer(case) for case in self.cases}
        everyone = list(self.writers.values())
        self._go.set()
        for number in range(min(self.threads, len(everyone))):
            mine = everyone[number :: self.threads]
            thread = threading.Thread(target=self._work, args=(number, mine), daemon=True)
            thread.start()
            self._workers.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._go.set()
        for thread in self._workers:
            thread.join(40)

    def rounds(self, shape: Shape) -> None:
        """Wait until every case has done each of its writes in that shape once more."""
        goals = {
            name: writer.turns[shape] + writer.case.turns(shape)
            for name, writer in self.writers.items()
        }

        def reached() -> bool:
            return all(
                writer.turns[shape] >= goals[name] or writer.failed
                for name, writer in self.writers.items()
            )

        until(reached, limit_s=ROUNDS_LIMIT_S, what=f"every write of the {shape} shape once")

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Nobody writes during the block."""
        self._go.clear()
        until(lambda: not self._busy, limit_s=QUIET_LIMIT_S, what="the last write is over")
        try:
            yield
        finally:
            self._go.set()

    def written(self, name: str) -> list[Written]:
        return list(self.writers[name].written)

    def _work(self, number: int, mine: list[_Writer]) -> None:
        connection: psycopg.Connection | None = None
        turn = 0
        while True:
            self._go.wait()
            self._busy.add(number)
            if self._stop.is_set():
                break
            if not self._go.is_set():
                self._busy.discard(number)
                continue
            writer = mine[turn % len(mine)]
            turn += 1
            try:
                connection = connection or psycopg.connect(self.dsn, prepare_threshold=None)
                writer.write(connection, self.shapes)
            except psycopg.Error as error:
                writer.failed.append(f"{type(error).__name__}: {error}")
                if connection is not None:
                    connection.close()
                connection = None
            self._busy.discard(number)
            self._stop.wait(PERIOD_S)
        self._busy.discard(number)
        if connection is not None:
            connection.close()
