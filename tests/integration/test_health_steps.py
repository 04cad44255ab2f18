"""The health-monitor's steps on a whole stack: what they measure, what makes them refuse."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from shared.adapters.control.connection import ControlDatabase
from shared.adapters.control.health_store import HealthStore
from shared.adapters.control.install import install
from shared.adapters.doors.door_probe import PooledDoor
from shared.adapters.drivers.node_factory import make_nodes
from shared.adapters.health.alerts import AlertBook, Sinks
from shared.adapters.pooler.pooler_facts import read_pooler
from shared.adapters.queue.redis_bus import RedisBus
from shared.domain.errors import Broken, Refused
from shared.domain.kinds import Kind
from shared.domain.migration import Job
from shared.ports import Done
from shared.runner import forward
from tests.support.stack import Stack, running_stack
from tests.support.steps import a_job, done
from workers.health_monitor.steps.confirm import Confirm
from workers.health_monitor.steps.hold_rollback_window import HoldRollbackWindow
from workers.health_monitor.steps.preflight import Preflight
from workers.health_monitor.traffic_watch import TrafficWatch


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_stack() as stack:
        with stack.connect("app") as connection:
            connection.execute("CREATE TABLE users (id bigserial PRIMARY KEY, name text)")
        yield stack


@pytest.fixture(scope="module")
def store(stack: Stack) -> HealthStore:
    database = ControlDatabase(stack.settings, application_name="test")
    with database.session() as session:
        install(session)
    return HealthStore(database)


@pytest.fixture
def preflight(stack: Stack, store: HealthStore) -> Preflight:
    settings = stack.settings
    return Preflight(
        nodes=make_nodes(settings, "bg_health"),
        read_pooler=lambda: read_pooler(settings),
        door=PooledDoor(settings),
        observations=store,
        application_role="app",
        exempt=("postgres",),
        now=now,
    )


@pytest.fixture
def confirm(stack: Stack, store: HealthStore) -> Confirm:
    nodes = make_nodes(stack.settings, "bg_health")
    return Confirm(TrafficWatch(nodes, PooledDoor(stack.settings), store, now))


@contextmanager
def traffic(stack: Stack) -> Iterator[None]:
    """Inserts through the pooled door, as the application, whatever becomes of them."""
    stop = threading.Event()

    def insert() -> None:
        with stack.connect("app") as connection:
            while not stop.is_set():
                with suppress(psycopg.errors.RaiseException):
                    connection.execute("INSERT INTO users (name) VALUES ('x')")
                stop.wait(0.02)

    thread = threading.Thread(target=insert)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)


@pytest.mark.parametrize("kind", list(Kind))
def test_a_fresh_stack_passes_preflight(preflight: Preflight, kind: Kind) -> None:
    job = a_job(kind, id=f"job-{kind}")
    answer = done(preflight, job)
    assert answer.facts["server_version_num"]["blue"] >= 150000
    held = [warning for warning in answer.facts["warnings"] if "query_wait_timeout" in warning]
    assert answer.facts["warnings"] == held
    assert len(held) == (kind is Kind.MAINTENANCE), "only a maintenance holds clients for long"
    assert preflight.recall(job) == answer.facts


def test_a_door_that_lets_the_probe_not_in_is_refused(
    stack: Stack, preflight: Preflight, tmp_path: Path
) -> None:
    """As where PgBouncer knows the application only; found after the cutover it would undo it."""
    wrong = tmp_path / "wrong"
    shutil.copytree(stack.settings.secrets_dir, wrong)
    (wrong / "bg_health").write_text("not its password")
    door = PooledDoor(stack.settings.model_copy(update={"secrets_dir": wrong}))
    with pytest.raises(Refused, match="login of bg_health through the pooled door"):
        replace(preflight, door=door).do(a_job(Kind.RISKY, id="job-door"))


def test_sound_traffic_is_confirmed(stack: Stack, preflight: Preflight, confirm: Confirm) -> None:
    job = a_job(Kind.RISKY, id="job-well")
    with traffic(stack):
        done(preflight, job)
        assert " transactions in " in done(confirm, job).sentence


def test_a_safe_file_is_confirmed_by_the_first_look(
    stack: Stack, preflight: Preflight, confirm: Confirm
) -> None:
    job = a_job(Kind.SAFE, id="job-safe")
    done(preflight, job)
    assert isinstance(forward(confirm, job), Done)
    seen = confirm.watch.seen(job)
    assert seen is not None
    assert len([ms for ms in seen["door_ms"] if ms is not None]) >= 3


def test_a_trigger_that_raises_under_traffic_is_not_confirmed(
    stack: Stack, preflight: Preflight, confirm: Confirm
) -> None:
    job = a_job(Kind.RISKY, id="job-ill")
    with traffic(stack), stack.connect("blue") as administrator:
        done(preflight, job)
        try:
            administrator.execute(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                "$$BEGIN RAISE 'no such user today'; END$$"
            )
            administrator.execute(
                "CREATE TRIGGER refuses BEFORE INSERT ON users "
                "FOR EACH ROW EXECUTE FUNCTION refuse()"
            )
            with pytest.raises(Broken, match=r"no such user today|rolled back") as broken:
                done(confirm, job)
        finally:
            administrator.execute("DROP FUNCTION refuse CASCADE")
    assert "not confirmed" in broken.value.message


def cut_over(job: Job, *, ago_s: float) -> Job:
    at = (now() - timedelta(seconds=ago_s)).isoformat()
    fact = {"at": at, "direction": "blue->green", "window_ms": 1.0}
    return job.model_copy(update={"facts": {"cutover": fact}})


def test_the_window_is_held_until_its_end_and_says_how_the_way_back_is(
    stack: Stack, store: HealthStore
) -> None:
    book = AlertBook(store, RedisBus(stack.settings), Sinks(()))
    step = HoldRollbackWindow(make_nodes(stack.settings, "bg_health"), book, now)
    job = a_job(id="job-window", options={"rollback_window_s": 3600})
    open_, over = cut_over(job, ago_s=10), cut_over(job, ago_s=3601)
    assert step.is_done(over)
    assert step.is_done(open_.model_copy(update={"requests": frozenset({"finish"})}))
    assert not step.is_done(open_)
    answer = step.do(open_)
    assert answer.sentence.startswith("rollback possible for 59 min")
