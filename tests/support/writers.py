"""Clients of the application that never stop and never try again: what fails for them, failed.

Each is on one connection through the pooled door and numbers its rows, so that the journal in the
database can be compared with what was acknowledged, row for row.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Self

import psycopg

from tests.support.wait import until

PERIOD_S = 0.04
TABLES = """
CREATE TABLE account (id int PRIMARY KEY, balance bigint);
INSERT INTO account SELECT n, 0 FROM generate_series(1, 64) AS n;
CREATE TABLE journal (writer int, n int, PRIMARY KEY (writer, n));
"""
"""What they work with, to be made by the application beforehand."""


@dataclass
class Writers:
    dsn: str
    count: int = 16
    first: int = 0
    """Rows are numbered from here, so that one world can serve several of these."""
    period_s: float = PERIOD_S
    acknowledged: set[tuple[int, int]] = field(default_factory=set)
    failed: list[str] = field(default_factory=list)
    waits: list[tuple[float, float]] = field(default_factory=list)
    """(reading of the monotonic clock at the begin, milliseconds) of each transaction."""
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        for number in range(self.count):
            thread = threading.Thread(target=self._write, args=(number,), daemon=True)
            thread.start()
            self._threads.append(thread)
        self.until_acknowledged(2 * self.count)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(40)

    def until_acknowledged(self, more: int, *, limit_s: float = 30) -> None:
        """Wait until that many further transactions were acknowledged."""
        goal = len(self.acknowledged) + more
        until(lambda: len(self.acknowledged) >= goal, limit_s=limit_s, what=f"{more} writes")

    def longest_ms(self, *, since: float = 0.0) -> float:
        return max((ms for began, ms in self.waits if began >= since), default=0.0)

    def _write(self, writer: int) -> None:
        connection: psycopg.Connection | None = None
        n = self.first
        while not self._stop.is_set():
            n += 1
            began = time.monotonic()
            try:
                connection = connection or psycopg.connect(self.dsn)
                with connection.transaction():
                    connection.execute(
                        "UPDATE account SET balance = balance + 1 WHERE id = %s", (writer + 1,)
                    )
                    connection.execute(
                        "INSERT INTO journal (writer, n) VALUES (%s, %s)", (writer, n)
                    )
                self.acknowledged.add((writer, n))
            except psycopg.Error as error:
                self.failed.append(f"{type(error).__name__}: {error}")
                if connection is not None:
                    connection.close()
                connection = None
            self.waits.append((began, (time.monotonic() - began) * 1000))
            self._stop.wait(max(0.0, self.period_s - (time.monotonic() - began)))
        if connection is not None:
            connection.close()
