"""Who is told of an alert, how often, and when not: sinks, silence, quiet times, job ends."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.adapters.control.health_store import HealthStore
from shared.adapters.control.store import PostgresControlStore
from shared.adapters.embedded.child import ControlFiles
from shared.adapters.embedded.layout import Layout
from shared.adapters.health.alerts import AlertBook, Sinks
from shared.adapters.health.heartbeat import ALERT, HeartbeatWatch
from shared.domain.environment import Colour
from shared.domain.kinds import Kind
from shared.domain.migration import RunOptions
from tests.support.cluster import free_port
from tests.support.disturbances import away
from tests.support.postbox import postbox
from tests.support.stack import Stack, running_stack
from tests.support.wait import until
from tests.support.watched import CLEARED, RAISED, Watched, watching
from tests.support.webhook import webhook


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_stack() as stack:
        yield stack


@pytest.fixture
def watched(stack: Stack, tmp_path: Path) -> Iterator[Watched]:
    with watching(stack, tmp_path) as watched:
        yield watched


def test_an_alert_is_told_once_and_so_is_its_end(watched: Watched) -> None:
    for _ in range(3):
        watched.book.raise_alert("test", "critical", "something is wrong")
        watched.look()
    assert watched.hook.until("[critical] test")["type"] == "failure"
    for _ in range(3):
        watched.book.clear_alert("test", "over")
    watched.hook.until("[cleared] test")
    assert watched.hook.titles().count("[critical] test") == 1
    assert watched.hook.titles().count("[cleared] test") == 1
    assert watched.stream.types("test") == [RAISED, CLEARED]


def test_an_alert_stands_once_however_many_monitors_there_are(watched: Watched) -> None:
    books = [AlertBook(HealthStore(watched.database), watched.stream, Sinks(())) for _ in range(2)]
    for book in books * 2:
        book.raise_alert("test", "warning", "something is wrong")
    assert watched.stream.types("test") == [RAISED]
    for book in reversed(books * 2):
        book.clear_alert("test", "over")
    assert watched.stream.types("test") == [RAISED, CLEARED]


def test_an_alert_whose_end_the_control_database_missed_ends_when_it_is_back(
    watched: Watched, stack: Stack
) -> None:
    """It stood for ever: what clears an alert comes once."""
    for name in ("test", "again"):
        watched.book.raise_alert(name, "warning", "something is wrong")
    files = ControlFiles(Layout(stack.state_dir).supervisor)
    with away(stack, "control"):
        until(lambda: not files.status("control").is_running, limit_s=20, what="control to stop")
        for name in ("test", "again"):
            watched.book.clear_alert(name, "over")
        watched.book.raise_alert("again", "warning", "and wrong once more")
        assert watched.stream.types("test") == [RAISED]
    stack.until_answers("control")
    watched.looks_until(lambda: watched.stream.types("test") == [RAISED, CLEARED])
    raised = {alert.name for alert in watched.store.raised()}
    assert "again" in raised
    assert "test" not in raised


def test_a_silenced_alert_is_kept_and_told_when_the_silence_ends(watched: Watched) -> None:
    silence = watched.store.silence("spare.%", seconds=3600, by="test", reason="disk swap")
    watched.book.raise_alert("spare.disk", "critical", "spare has 1 MB of free disk")
    watched.book.raise_alert("other.disk", "critical", "other has 1 MB of free disk")
    watched.hook.until("[critical] other.disk")
    assert [alert.name for alert in watched.store.raised()] == ["spare.disk", "other.disk"]
    watched.look()
    assert "[critical] spare.disk" not in watched.hook.titles()
    watched.store.end_silence(silence.id, by="test")
    watched.look()
    watched.hook.until("[critical] spare.disk")


def test_a_silenced_alert_that_ends_in_silence_is_never_told(watched: Watched) -> None:
    watched.store.silence("spare.disk", seconds=3600, by="test", reason="disk swap")
    watched.book.raise_alert("spare.disk", "critical", "spare has 1 MB of free disk")
    watched.book.clear_alert("spare.disk", "it has 9 GB")
    watched.book.raise_alert("after", "info", "so that all before it was told")
    watched.hook.until("[info] after")
    assert not [title for title in watched.hook.titles() if "spare.disk" in title]


def test_in_a_quiet_time_a_check_is_looked_at_and_not_counted(stack: Stack, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    day = [(now + timedelta(hours=hours)).strftime("%H:%M") for hours in (-1, 1)]
    night = [(now + timedelta(hours=hours)).strftime("%H:%M") for hours in (2, 3)]
    quiet = [
        {"window": "-".join(day), "checks": ["agent.backup"]},
        {"window": "-".join(night), "checks": ["agent.validator"]},
    ]
    with watching(stack, tmp_path, quiet_times=quiet) as watched:
        watched.looks_until(lambda: watched.stream.types("agent.validator") == [RAISED])
        assert not watched.last["agent.backup"].healthy
        assert watched.stream.types("agent.backup") == []


def test_n_of_m_samples_are_as_set(stack: Stack, tmp_path: Path) -> None:
    with watching(stack, tmp_path, window=5, needed=4) as watched:
        for _ in range(3):
            watched.look()
        assert watched.stream.types("agent.backup") == []
        watched.look()
        assert watched.stream.types("agent.backup") == [RAISED]


def test_a_job_that_ends_badly_is_told_with_step_cause_and_way_back(watched: Watched) -> None:
    jobs = PostgresControlStore(watched.database)

    def ended(file_name: str, outcome: str) -> str:
        job = jobs.submit(
            database="app", kind=Kind.RISKY, file_name=file_name, sql="SELECT 1",
            options=RunOptions(), source=Colour.BLUE, requested_by="test",
        )  # fmt: skip
        watched.sql(
            "UPDATE bluegreen_control.job SET outcome = %s, ended_at = clock_timestamp(), "
            "cause = 'a row differs', remedy = 'mend it' WHERE id = %s",
            outcome, job,
        )  # fmt: skip
        watched.sql("UPDATE bluegreen_control.lease SET job = NULL")
        watched.sql(
            "INSERT INTO bluegreen_control.step (job, name, state, attempts, sentence) "
            "VALUES (%s, 'compare_rows', 'failed', 1, '') ON CONFLICT (job, name) "
            "DO UPDATE SET state = 'failed'",
            job,
        )
        return job

    bad, stuck = ended("bad.sql", "rolled_back"), ended("stuck.sql", "needs_operator")
    watched.looks_until(lambda: watched.stream.types(f"job/{bad}") == [RAISED])
    message = watched.hook.until(f"[warning] job/{bad}")
    for part in ("bad.sql", "rolled_back at compare_rows", "a row differs", "mend it", "as it was"):
        assert part in message["message"]
    assert f"bluegreen rollback {stuck}" in watched.hook.until(f"[critical] job/{stuck}")["message"]
    ended("good.sql", "completed")
    watched.looks_until(lambda: watched.stream.types(f"job/{bad}") == [RAISED, CLEARED])


def test_alerts_reach_a_mailbox(watched: Watched) -> None:
    with postbox() as (box, port):
        sinks = Sinks((f"mailto://127.0.0.1:{port}/?from=bluegreen@shop.test&to=ops@shop.test",))
        book = AlertBook(watched.store, watched.stream, sinks)
        book.raise_alert("blue.available", "critical", "blue does not answer")
        book.clear_alert("blue.available", "blue answers")
        until(lambda: len(box.mails) == 2, limit_s=20, what="two mails")
        first, second = box.mails
        assert (first["Subject"], first["To"]) == ("[critical] blue.available", "ops@shop.test")
        assert "blue does not answer" in str(first)
        assert second["Subject"] == "[cleared] blue.available"


def test_a_sink_that_is_away_for_a_while_is_told_afterwards(watched: Watched) -> None:
    port = free_port()
    with socket.socket() as held:
        held.bind(("127.0.0.1", port))
        book = AlertBook(
            watched.store,
            watched.stream,
            Sinks((f"json://127.0.0.1:{port}/alerts",), pauses_s=(0.3,) * 60),
        )
        began = time.monotonic()
        book.raise_alert("blue.available", "critical", "blue does not answer")
        assert time.monotonic() - began < 5, "a sink that is away, for 18 s, must delay nobody"
        time.sleep(0.5)
    with webhook(port) as hook:
        hook.until("[critical] blue.available")


def test_another_agent_tells_that_the_monitor_is_silent(watched: Watched) -> None:
    watch = HeartbeatWatch(watched.store, watched.book, period_s=60)
    watched.look()
    watch.look()
    watched.sql("UPDATE bluegreen_control.heartbeat SET at = at - interval '1 hour'")
    watch.look()
    watch.look()
    assert watched.stream.types(ALERT) == [RAISED]
    watched.hook.until(f"[critical] {ALERT}")
    watched.look()
    watch.look()
    assert watched.stream.types(ALERT) == [RAISED, CLEARED]
