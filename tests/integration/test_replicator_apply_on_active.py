"""A safe file on the serving side: applied once, in its groups, and nobody queues behind it."""

import threading
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest

from shared.domain.errors import Broken, Refused, Transient
from shared.domain.kinds import Kind
from shared.ports import Pending
from tests.support.dying import Died, DyingNodes
from tests.support.fake_pool import CountingPool
from tests.support.pair import Pair
from tests.support.safe_file import applying, safe
from tests.support.sides import BLUE
from tests.support.steps import done, undone
from tests.support.wait import until
from workers.replicator.background import Background
from workers.replicator.steps import apply_on_active
from workers.replicator.steps.apply_on_active import ApplyOnActive

INDEX = "CREATE INDEX CONCURRENTLY t_v ON t (v)"
INVALID = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"


@pytest.fixture
def servers(bare: Pair) -> Iterator[Pair]:
    bare.run(BLUE, "CREATE TABLE t (id int PRIMARY KEY, v int)", user="app")
    bare.run(BLUE, "INSERT INTO t SELECT g, g FROM generate_series(1, 1000) AS g", user="app")
    yield bare
    bare.run(BLUE, "DROP TABLE t; DROP TABLE IF EXISTS u; DELETE FROM bluegreen.applied")


@pytest.fixture
def step(servers: Pair, pool: CountingPool) -> ApplyOnActive:
    return applying(servers.nodes, pool, Background())


def test_a_file_is_applied_once_as_the_owner_of_what_it_touches(
    servers: Pair, step: ApplyOnActive
) -> None:
    job = safe(servers, "CREATE TABLE u (id int); INSERT INTO u VALUES (1);")
    undone(step, job)
    assert not step.is_done(job)
    done(step, job)
    done(step, job)
    step.do(job)
    assert servers.rows(BLUE, "SELECT id FROM u") == [(1,)]
    assert servers.value(BLUE, "SELECT tableowner FROM pg_tables WHERE tablename = 'u'") == "app"
    with pytest.raises(Broken, match="1:1"):
        step.undo(job)


def test_a_file_that_fails_is_not_there_at_all(servers: Pair, step: ApplyOnActive) -> None:
    job = safe(servers, "CREATE TABLE u (id int);\nALTER TABLE t ADD CONSTRAINT c CHECK (v < 5);",
               Kind.MAINTENANCE)  # fmt: skip
    with pytest.raises(Refused, match=r"0001.sql:2:1: .*violated by some row"):
        done(step, job)
    for _ in range(2):
        undone(step, job)
    assert servers.value(BLUE, "SELECT to_regclass('u')") is None


def test_adding_a_column_renews_the_pools_sessions_around_it(
    servers: Pair, step: ApplyOnActive, pool: CountingPool
) -> None:
    pool.busy = 2
    job = safe(servers, "ALTER TABLE t ADD COLUMN w int;")
    assert isinstance(step.do(job), Pending)
    done(step, job)
    assert (pool.pauses, pool.paused) == (1, False)
    assert servers.value(BLUE, "SELECT count(*) FROM t WHERE w IS NULL") == 1000


def test_a_lock_that_is_not_given_is_asked_for_again_and_nobody_waits_for_long(
    servers: Pair, step: ApplyOnActive
) -> None:
    job = safe(servers, "ALTER TABLE t ALTER COLUMN v SET DEFAULT 3;")
    waits: list[float] = []
    stop = threading.Event()

    def read() -> None:
        with servers.connect(BLUE, "app") as connection:
            while not stop.is_set():
                began = time.monotonic()
                connection.execute("SELECT count(*) FROM t")
                waits.append(time.monotonic() - began)

    reader = threading.Thread(target=read)
    with servers.connect(BLUE, "app") as holder:
        with holder.transaction():
            holder.execute("SELECT 1 FROM t")
            reader.start()
            answers = [step.do(job) for _ in range(3)]
            assert any("lock timeout" in answer.sentence for answer in answers)
            assert any("in a transaction for" in answer.sentence for answer in answers)
        done(step, job)
    stop.set()
    reader.join()
    assert max(waits) < 2.0  # the lock limit is 0.5 s; the rest is room for a busy host


def test_a_lock_that_is_never_given_ends_the_attempt(
    servers: Pair, step: ApplyOnActive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apply_on_active, "TRIES", 2)
    job = safe(servers, "ALTER TABLE t ALTER COLUMN v SET DEFAULT 3;")
    with servers.connect(BLUE, "app") as holder, holder.transaction():
        holder.execute("SELECT 1 FROM t")
        with pytest.raises(Transient, match="given up after 2 tries"):
            done(step, job)
    undone(step, job)


def test_what_runs_in_no_transaction_is_recorded_and_not_run_again(
    servers: Pair, step: ApplyOnActive
) -> None:
    job = safe(servers, f"{INDEX};\nCREATE TABLE u (id int);")
    done(step, job)
    done(step, job)
    step.do(job)
    assert servers.value(BLUE, "SELECT indisvalid FROM pg_index WHERE indexrelid = 't_v'::regclass")


def test_an_index_that_was_left_invalid_is_dropped_and_built_again(
    servers: Pair, step: ApplyOnActive
) -> None:
    job = safe(servers, "CREATE UNIQUE INDEX CONCURRENTLY t_v ON t (v);")
    servers.run(BLUE, "INSERT INTO t VALUES (1001, 1)", user="app")
    with pytest.raises(Refused, match=r"0001.sql:1:1: could not create unique index"):
        done(step, job)
    assert servers.value(BLUE, INVALID) == 0
    undone(step, job)
    servers.run(BLUE, "DELETE FROM t WHERE id = 1001", user="app")
    done(step, job)


def test_an_index_whose_builder_was_killed_is_built_again(
    servers: Pair, step: ApplyOnActive
) -> None:
    job = safe(servers, f"{INDEX};")
    with servers.connect(BLUE, "app") as holder, holder.transaction():
        holder.execute("UPDATE t SET v = v WHERE id = 1")  # the build waits for this
        assert isinstance(step.do(job), Pending)
        servers.run(BLUE, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name LIKE 'bluegreen/file/%'")  # fmt: skip
    with pytest.raises(Transient, match="administrator command"):
        done(step, job)
    done(step, job)
    assert servers.value(BLUE, INVALID) == 0


@pytest.mark.parametrize(
    ("sql", "act"),
    [
        (f"{INDEX};", "INSERT INTO bluegreen.applied"),
        (f"{INDEX};", "CONCURRENTLY"),
        ("CREATE TABLE u (id int); INSERT INTO u VALUES (1);", "CREATE TABLE"),
        ("ALTER TABLE t ADD COLUMN w int;", "ADD COLUMN"),
    ],
)
def test_a_worker_that_died_after_any_act_leaves_what_the_next_one_can_finish(
    servers: Pair, pool: CountingPool, step: ApplyOnActive, sql: str, act: str
) -> None:
    job = safe(servers, sql)
    dying = applying(DyingNodes(servers.nodes, act), pool, _SameThread())
    with pytest.raises(Died):
        dying.do(job)
    assert not pool.paused
    done(step, job)
    assert servers.value(BLUE, INVALID) == 0
    if "INSERT INTO u" in sql:
        assert servers.rows(BLUE, "SELECT id FROM u") == [(1,)]


class _SameThread(Background):
    """Work is done at once, so that a death in it is the worker's."""

    def start(self, key: str, work: Callable[[], None]) -> None:
        work()


def test_a_run_that_another_worker_began_is_waited_for(servers: Pair, step: ApplyOnActive) -> None:
    job = safe(servers, "CREATE TABLE u (id int);")
    with psycopg.connect(
        f"host=127.0.0.1 port={servers.settings.nodes[BLUE].port} user=postgres dbname=app",
        application_name=f"bluegreen/file/{job.id}",
    ) as other:
        other.execute("SELECT 1")
        answer = step.do(job)
        assert isinstance(answer, Pending)
        assert "runs for" in answer.sentence
    done(step, job)


def test_undo_ends_a_run_that_goes_on(servers: Pair, step: ApplyOnActive) -> None:
    job = safe(servers, "SELECT pg_sleep(60); CREATE TABLE u (id int);", Kind.MAINTENANCE)
    assert isinstance(step.do(job), Pending)
    running = "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    until(lambda: servers.value(BLUE, running), limit_s=20, what="the file runs")
    undone(step, job)
    assert not servers.value(BLUE, running)
    assert servers.value(BLUE, "SELECT to_regclass('u')") is None
