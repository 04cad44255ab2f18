"""A monitor over a stack that the test looks with itself, and everyone who is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.adapters.control.connection import ControlDatabase
from shared.adapters.control.health_store import HealthStore
from shared.adapters.control.install import install
from shared.adapters.control.store import PostgresControlStore
from shared.adapters.health.alerts import AlertBook, Sinks
from shared.adapters.health.checks import HealthChecks
from shared.adapters.health.job_figures import JobFigures
from shared.adapters.health.metrics import Metrics
from shared.domain.environment import Colour
from shared.domain.health import CheckResult
from shared.domain.kinds import Kind
from shared.domain.messages import Event
from shared.domain.migration import RunOptions
from shared.monitor_settings import MonitorSettings
from shared.settings import Settings
from tests.support.stack import Stack
from tests.support.webhook import Webhook, webhook
from workers.health_monitor.monitor import Monitor

RAISED, CLEARED = "AlertRaised", "AlertCleared"
TABLES = ("alert", "silence", "error_class", "schema_mark", "heartbeat")


@dataclass
class Stream:
    """A bus that keeps what was published."""

    events: list[Event] = field(default_factory=list)

    def publish(self, event: Event) -> None:
        self.events.append(event)

    def read(self, after: str, *, block_ms: int) -> list[tuple[str, Event]]:
        return []

    def types(self, alert: str) -> list[str]:
        return [event.type for event in self.events if getattr(event, "alert", "") == alert]


@dataclass
class Watched:
    stack: Stack
    settings: Settings
    database: ControlDatabase
    store: HealthStore
    stream: Stream
    hook: Webhook
    book: AlertBook
    monitor: Monitor
    metrics_file: Path
    last: dict[str, CheckResult] = field(default_factory=dict)

    def look(self) -> None:
        self.monitor.look()

    def looks_until(
        self, told: Callable[[], bool], *, limit_s: float = 60, between_s: float = 0.02
    ) -> None:
        """The monitor looks until something is so."""
        deadline = time.monotonic() + limit_s
        while not told():
            found = self.stream.events[-5:]
            assert time.monotonic() < deadline, f"untold: {found}, {self.last}"
            self.look()
            time.sleep(between_s)

    def raises(self, alert: str, **limits: float) -> None:
        """It was well so far, and is told now."""
        assert self.stream.types(alert) == [], self.last.get(alert)
        self.looks_until(lambda: self.stream.types(alert) == [RAISED], **limits)

    def clears(self, alert: str, **limits: float) -> None:
        self.looks_until(lambda: self.stream.types(alert) == [RAISED, CLEARED], **limits)

    def is_well(self, alert: str, *, looks: int = 3, limit_s: float = 10) -> None:
        """So many looks in a row: what a test before took needs a moment until it is given back."""
        deadline, well = time.monotonic() + limit_s, 0
        while well < looks:
            assert time.monotonic() < deadline, self.last.get(alert)
            self.look()
            well = well + 1 if self.last[alert].healthy else 0
        assert self.stream.types(alert) == []

    @contextmanager
    def live_job(self, kind: Kind, step: str) -> Iterator[str]:
        """A job that stands at that step, as far as the control database knows; its id."""
        job = PostgresControlStore(self.database).submit(
            database="app", kind=kind, file_name="live.sql", sql="SELECT 1",
            options=RunOptions(), source=Colour.BLUE, requested_by="test",
        )  # fmt: skip
        self.sql("UPDATE bluegreen_control.job SET phase = 'forward' WHERE id = %s", job)
        self.stand_at(job, step)
        try:
            yield job
        finally:
            self.sql(
                "UPDATE bluegreen_control.job SET ended_at = clock_timestamp(), "
                "outcome = 'completed' WHERE id = %s", job,
            )  # fmt: skip
            self.sql("UPDATE bluegreen_control.lease SET job = NULL")

    def stand_at(self, job: str, step: str) -> None:
        self.sql(
            "INSERT INTO bluegreen_control.outbox "
            "(job, step, owner, direction, attempt, epoch, due_at) "
            "VALUES (%s, %s, 'test', 'forward', 1, 1, clock_timestamp()) "
            "ON CONFLICT (job) DO UPDATE SET step = excluded.step",
            job, step,
        )  # fmt: skip

    def sql(self, statement: str, *params: Any) -> list[tuple[Any, ...]]:
        """On the control database."""
        with self.database.session() as session:
            cursor = session.connection.execute(statement, params or None)
            return cursor.fetchall() if cursor.description else []


Watching = Callable[..., Watched]
"""Makes one, with fields of MonitorSettings."""


@contextmanager
def watching(stack: Stack, place: Path, **monitor: Any) -> Iterator[Watched]:
    """`monitor`: fields of MonitorSettings; by default no look waits for agents, which are away."""
    options = MonitorSettings.model_validate({"agent_limit_s": 0.05, **monitor})
    settings = stack.settings.model_copy(update={"monitor": options})
    database = ControlDatabase(settings, application_name="test")
    with database.session() as session:
        install(session)
        session.execute("TRUNCATE " + ", ".join(f"bluegreen_control.{table}" for table in TABLES))
    store, stream = HealthStore(database), Stream()
    checks = HealthChecks(settings, database)
    with webhook() as hook:
        sinks = Sinks((hook.url,))
        book = AlertBook(store, stream, sinks)
        watched = Watched(
            stack, settings, database, store, stream, hook, book, None,  # type: ignore[arg-type]
            place / "metrics.prom",
        )  # fmt: skip

        def look() -> list[CheckResult]:
            results = checks.look()
            watched.last = {result.name: result for result in results}
            return results

        watched.monitor = Monitor(
            look_at_all=look,
            store=store,
            alerts=book,
            bus=stream,
            metrics=Metrics(place, JobFigures(database, settings)),
            settings=options,
        )
        try:
            yield watched
            sinks.wait()
        finally:
            checks.close()
            database.close()
