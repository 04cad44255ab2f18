"""The monitor on a whole stack: what goes wrong is told once, and once that it is over."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from shared.adapters import health_servers
from shared.adapters.alerts import AlertBook, Sinks
from shared.adapters.control.connection import ControlDatabase
from shared.adapters.control.health_store import HealthStore
from shared.adapters.control.install import install
from shared.adapters.control.store import PostgresControlStore
from shared.adapters.embedded.child import ControlFiles
from shared.adapters.embedded.layout import Layout
from shared.adapters.health import check_all
from shared.adapters.metrics import Metrics
from shared.adapters.node_factory import make_nodes
from shared.domain.environment import Colour
from shared.domain.kinds import Kind
from shared.domain.messages import Event
from shared.domain.migration import RunOptions
from tests.support.stack import Stack, running_stack
from tests.support.webhook import Webhook, webhook
from workers.health_monitor.monitor import Monitor


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
    database: ControlDatabase
    store: HealthStore
    stream: Stream
    hook: Webhook
    monitor: Monitor
    metrics_file: Path

    def looks_until(self, told: Callable[[], bool], *, limit_s: float = 30) -> None:
        """The monitor looks until something is so."""
        deadline = time.monotonic() + limit_s
        while not told():
            assert time.monotonic() < deadline, f"untold: {self.stream.events}"
            self.monitor.look()

    def told(self, alert: str, *types: str) -> Callable[[], bool]:
        return lambda: self.stream.types(alert) == list(types)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_stack() as stack:
        yield stack


@pytest.fixture
def watched(stack: Stack, tmp_path: Path) -> Iterator[Watched]:
    database = ControlDatabase(stack.settings, application_name="test")
    with database.session() as session:
        install(session)
        session.execute("TRUNCATE bluegreen_control.alert")
    store, stream = HealthStore(database), Stream()
    with webhook() as hook:
        sinks = Sinks((hook.url,))
        monitor = Monitor(
            check_all=partial(check_all, stack.settings, database),
            store=store,
            alerts=AlertBook(store, stream, sinks),
            bus=stream,
            metrics=Metrics(tmp_path),
        )
        yield Watched(stack, database, store, stream, hook, monitor, tmp_path / "metrics.prom")
        sinks.wait()


def test_a_server_that_dies_is_told_once_and_so_is_its_return(watched: Watched) -> None:
    driver = make_nodes(watched.stack.settings, "bg_health")[Colour.GREEN].driver
    watched.monitor.look()
    assert watched.stream.types("green.available") == []
    driver.stop(mode="immediate", limit_s=20)
    watched.looks_until(watched.told("green.available", "AlertRaised"))
    for _ in range(3):
        watched.monitor.look()
    assert "green.available" in [alert.name for alert in watched.store.raised()]
    assert 'mig_check_healthy{check="green.available"} 0.0' in watched.metrics_file.read_text()
    driver.start(limit_s=30)
    watched.looks_until(watched.told("green.available", "AlertRaised", "AlertCleared"))
    assert "green.available" not in [alert.name for alert in watched.store.raised()]
    message = watched.hook.until("[critical] green.available")
    assert message["type"] == "failure"
    watched.hook.until("[cleared] green.available")
    assert watched.hook.titles().count("[critical] green.available") == 1


@pytest.mark.parametrize(
    ("child", "check"), [("redis", "redis.available"), ("pgbouncer", "door.pooled")]
)
def test_a_service_that_is_away_is_told_and_so_is_its_return(
    watched: Watched, child: str, check: str
) -> None:
    control = ControlFiles(Layout(watched.stack.state_dir).supervisor)
    control.want(child, "stopped")
    try:
        watched.looks_until(watched.told(check, "AlertRaised"))
    finally:
        control.want(child, "running")
    watched.looks_until(watched.told(check, "AlertRaised", "AlertCleared"))


def test_agents_that_run_no_task_are_told_each_by_its_name(watched: Watched) -> None:
    watched.looks_until(watched.told("agent.backup", "AlertRaised"))
    assert watched.stream.types("agent.replicator") == ["AlertRaised"]


def test_an_alert_stands_once_however_many_monitors_there_are(watched: Watched) -> None:
    alerts = [AlertBook(HealthStore(watched.database), watched.stream, Sinks(())) for _ in range(2)]
    for book in alerts * 2:
        book.raise_alert("test", "warning", "something is wrong")
    assert watched.stream.types("test") == ["AlertRaised"]
    for book in reversed(alerts * 2):
        book.clear_alert("test", "over")
    assert watched.stream.types("test") == ["AlertRaised", "AlertCleared"]


def test_a_slot_that_keeps_much_wal_is_told(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health_servers, "RETAINED_SHARE", 1e-5)
    with watched.stack.connect("blue") as blue:
        blue.execute("SELECT pg_create_physical_replication_slot('left_behind', true)")
        try:
            blue.execute(
                "CREATE TABLE filler AS SELECT repeat('x', 1000) FROM generate_series(1, 9000)"
            )
            watched.looks_until(watched.told("blue.retained_wal", "AlertRaised"))
        finally:
            blue.execute("SELECT pg_drop_replication_slot('left_behind')")
            blue.execute("DROP TABLE filler")
    watched.looks_until(watched.told("blue.retained_wal", "AlertRaised", "AlertCleared"))


def test_a_job_that_ends_badly_is_told_with_step_cause_and_way_back(watched: Watched) -> None:
    jobs = PostgresControlStore(watched.database)

    def ended(file_name: str, outcome: str) -> str:
        job = jobs.submit(
            database="app", kind=Kind.RISKY, file_name=file_name, sql="SELECT 1",
            options=RunOptions(), source=Colour.BLUE, requested_by="test",
        )  # fmt: skip
        with watched.database.session() as session:
            session.execute(
                "UPDATE bluegreen_control.job SET outcome = %s, ended_at = clock_timestamp(), "
                "cause = 'a row differs', remedy = 'mend it' WHERE id = %s",
                (outcome, job),
            )
            session.execute("UPDATE bluegreen_control.lease SET job = NULL")
            session.execute(
                "INSERT INTO bluegreen_control.step (job, name, state, attempts, sentence) "
                "VALUES (%s, 'compare_rows', 'failed', 1, '') ON CONFLICT (job, name) "
                "DO UPDATE SET state = 'failed'",
                (job,),
            )
        return job

    bad = ended("bad.sql", "rolled_back")
    watched.looks_until(watched.told(f"job/{bad}", "AlertRaised"))
    message = watched.hook.until(f"[warning] job/{bad}")
    for part in ("bad.sql", "rolled_back at compare_rows", "a row differs", "mend it"):
        assert part in message["message"]
    ended("good.sql", "completed")
    watched.looks_until(watched.told(f"job/{bad}", "AlertRaised", "AlertCleared"))
