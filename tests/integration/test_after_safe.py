"""A safe file ends with the first look of `confirm`; the monitor watches on, tells and reports."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from shared.adapters.control.baseline_store import BaselineStore
from shared.adapters.control.store import PostgresControlStore
from shared.adapters.doors.door_probe import PooledDoor
from shared.adapters.drivers.node_factory import make_nodes
from shared.adapters.health.alerts import AlertBook, Sinks
from shared.adapters.health.checks import HealthChecks
from shared.adapters.pooler.pooler_facts import read_pooler
from shared.adapters.queue.redis_bus import RedisBus
from shared.domain.environment import Colour
from shared.domain.kinds import Kind
from shared.domain.migration import Job, RunOptions
from shared.ports import Done
from shared.runner import forward
from tests.support.command_line import CalledHere
from tests.support.stack import Stack, running_stack
from tests.support.steps import a_job, done
from tests.support.wait import until
from tests.support.watched import Watched, watching
from tests.support.writers import TABLES, Writers
from workers.health_monitor.after_safe import AfterSafe
from workers.health_monitor.recorder import Recorder
from workers.health_monitor.speed import Speed
from workers.health_monitor.steps.confirm import Confirm
from workers.health_monitor.steps.preflight import Preflight
from workers.health_monitor.traffic_watch import TrafficWatch


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_stack() as stack:
        with stack.connect("app") as app:
            app.execute(TABLES)
        yield stack


@dataclass
class Played:
    """The monitor's part of a safe job, step by step; `ends` is the coordinator's."""

    watched: Watched
    job: Job
    preflight: Preflight
    confirm: Confirm
    after: AfterSafe

    def ends(self) -> None:
        self.watched.sql("UPDATE bluegreen_control.lease SET job = NULL")
        self.watched.sql(
            "UPDATE bluegreen_control.job SET ended_at = now(), outcome = 'completed'"
            f" WHERE id = '{self.job.id}'"
        )

    def is_judged(self) -> bool:
        self.after.after_look([])
        return self.watched.store.seen(self.job.id, "after") is not None

    def verdict(self) -> dict[str, object]:
        return dict(self.watched.store.seen(self.job.id, "after") or {})


@contextmanager
def played(stack: Stack, tmp_path: Path, *, file_name: str) -> Iterator[Played]:
    with watching(stack, tmp_path) as watched:
        id_ = PostgresControlStore(watched.database).submit(
            database="app", kind=Kind.SAFE, file_name=file_name, sql="SELECT 1",
            options=RunOptions(), source=Colour.BLUE, requested_by="test",
        )  # fmt: skip
        nodes, door = make_nodes(stack.settings, "bg_health"), PooledDoor(stack.settings)
        pooler = partial(read_pooler, stack.settings)
        baselines = BaselineStore(watched.database)
        speed = Speed(pooler, now, lambda: baselines.current("app"))
        watch = TrafficWatch(nodes, door, watched.store, now, speed)
        book = AlertBook(watched.store, RedisBus(stack.settings), Sinks(()))
        yield Played(
            watched,
            a_job(Kind.SAFE, id=id_),
            Preflight(nodes, pooler, door, watched.store, "app", ("postgres",), now, speed),
            Confirm(watch),
            AfterSafe(watch, watched.store, book),
        )


def test_the_report_says_what_a_migration_changed(
    bluegreen: CalledHere, stack: Stack, tmp_path: Path
) -> None:
    with stack.connect("app") as app:
        app.execute("TRUNCATE journal")
    with played(stack, tmp_path, file_name="impact.sql") as it:
        checks = HealthChecks(it.watched.settings, it.watched.database)
        record = Recorder(checks, BaselineStore(it.watched.database), "app").after_look
        with Writers(stack.doors["app"], 4) as writers:
            done(it.preflight, it.job)
            for _ in range(3):
                writers.until_acknowledged(20)
                record(checks.look())
            assert isinstance(forward(it.confirm, it.job), Done)
            it.ends()
            assert not it.is_judged(), "before there is enough to judge by"
            until(it.is_judged, limit_s=20, what="the monitor judges what came after")
            record(checks.look())
        checks.close()
        assert it.verdict() == {"well": True, "why": ""}
    impact = bluegreen("report", it.job.id, "--json").body["impact"]
    assert impact["before"]["transactionsPerSecond"] > 1
    assert impact["after"]["transactionMs"]["p50"] > 0
    text = bluegreen("report", it.job.id).out
    assert "## Performance impact" in text
    if impact["queries"]:
        inserts = [each for each in impact["queries"] if "journal" in each["query"]]
        assert inserts
        assert inserts[0]["beforeMs"] > 0
        assert inserts[0]["afterMs"] > 0


def test_what_fails_after_a_safe_file_is_an_alert_of_its_job(stack: Stack, tmp_path: Path) -> None:
    with stack.connect("app") as app:
        app.execute("TRUNCATE journal")
    with (
        played(stack, tmp_path, file_name="refused.sql") as it,
        stack.connect("blue") as blue,
    ):
        done(it.preflight, it.job)
        assert isinstance(forward(it.confirm, it.job), Done)
        it.ends()
        with Writers(stack.doors["app"], 4):
            blue.execute(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                "$$BEGIN RAISE 'no entry today'; END$$"
            )
            blue.execute(
                "CREATE TRIGGER refuses BEFORE INSERT ON journal"
                " FOR EACH ROW EXECUTE FUNCTION refuse()"
            )
            try:
                until(it.is_judged, limit_s=20, what="the monitor judges what came after")
            finally:
                blue.execute("DROP FUNCTION refuse CASCADE")
        assert it.verdict()["well"] is False
        raised = {alert.name: alert.sentence for alert in it.watched.store.raised()}
    said = raised[f"job/{it.job.id}"]
    assert "no entry today" in said or "rolled back" in said
    assert "stays" in said
