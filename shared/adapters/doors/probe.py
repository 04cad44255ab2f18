"""Writes through the pooled door as the application does, and notes how long each one took.

A process of its own beside a cutover (`python -m shared.adapters.doors.probe`), so that what it
measures is the door and not our own work. Each transaction is one INSERT that says which server
took it. It never tries again: what fails for it would have failed for the application. It writes
until its input says `stop` or ends, and then tells all it saw in one message. Before that it says
once that a write succeeded.
"""

from __future__ import annotations

import json
import os
import select
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg

from shared.settings import Settings

WRITERS = 8
PERIOD_S = WRITERS / 240
"""Of one writer: together 240 transactions a second."""
FIRST_LIMIT_S = 5.0
ENDING_LIMIT_S = 5.0
ERRORS_KEPT = 5
WRITE = "INSERT INTO bluegreen.probe DEFAULT VALUES RETURNING current_setting('cluster_name')"


@dataclass
class Probe:
    settings: Settings
    samples: list[tuple[float, float, bool, str]] = field(default_factory=list)
    """(reading of the monotonic clock at the begin, milliseconds, acknowledged, server)."""
    errors: list[str] = field(default_factory=list)
    _first: threading.Event = field(default_factory=threading.Event)
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        writers = [
            threading.Thread(target=self._write, args=(PERIOD_S * n / WRITERS,), daemon=True)
            for n in range(WRITERS)
        ]
        for writer in writers:
            writer.start()
        self._first.wait(FIRST_LIMIT_S)
        tell({"ready": self._first.is_set()})
        _wait_for_stop()
        self._stop.set()
        deadline = time.monotonic() + ENDING_LIMIT_S
        for writer in writers:
            writer.join(max(0.0, deadline - time.monotonic()))

    def _write(self, delay_s: float) -> None:
        """One client on one connection, its begins spread evenly over the period."""
        connection: psycopg.Connection[Any] | None = None
        due = time.monotonic() + delay_s
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            began = time.monotonic()
            try:
                connection = connection or self._connect()
                row = connection.execute(WRITE).fetchone()
                self._note(began, True, str(row[0]) if row else "")
                self._first.set()
            except psycopg.Error as error:
                self._note(began, False, "")
                if len(self.errors) < ERRORS_KEPT:
                    self.errors.append(str(error).strip())
                if connection is not None:
                    connection.close()
                connection = None
            due = max(due + PERIOD_S, time.monotonic())
        if connection is not None:
            connection.close()

    def _note(self, began: float, acknowledged: bool, server: str) -> None:
        took_ms = (time.monotonic() - began) * 1000
        self.samples.append((began, round(took_ms, 3), acknowledged, server))

    def _connect(self) -> psycopg.Connection[Any]:
        settings = self.settings
        return psycopg.connect(
            host=settings.doors.host, port=settings.doors.pooled_port, dbname=settings.database,
            user=settings.application_role, password=settings.secret(settings.application_role),
            autocommit=True, application_name="bluegreen/probe",
        )  # fmt: skip


def _wait_for_stop() -> None:
    """Until a further line or the end of our input."""
    select.select([sys.stdin], [], [])


def main() -> None:
    first = b""
    while not first.endswith(b"\n"):
        piece = os.read(sys.stdin.fileno(), 65536)
        if not piece:
            return
        first += piece
    probe = Probe(Settings.model_validate(json.loads(first)["settings"]))
    probe.run()
    tell({"samples": probe.samples, "errors": probe.errors})


def tell(message: dict[str, Any]) -> None:
    told = json.dumps(message).encode() + b"\n"
    with suppress(BrokenPipeError):  # who asked is dead; its input, our output, ended with it
        while told:
            told = told[os.write(sys.stdout.fileno(), told) :]


if __name__ == "__main__":
    main()
