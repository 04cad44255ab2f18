"""A bulk change in batches: every row once, whatever dies; held by lag; paused by hand."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping

import pytest

from shared.domain.environment import Colour
from shared.domain.errors import Broken, Refused
from shared.domain.kinds import Kind
from shared.domain.migration import Job
from shared.ports import Node, Pending, PoolTraffic, Session
from shared.runner import forward
from tests.support.dying import Died, DyingNodes
from tests.support.fake_pool import CountingPool
from tests.support.pair import Pair, pair
from tests.support.servers import VERSIONS
from tests.support.sides import BLUE, GREEN, job_on
from tests.support.steps import done, undone
from workers.replicator import batches, pace
from workers.replicator.background import Background
from workers.replicator.batches import Batches
from workers.replicator.promotion import Promotion
from workers.replicator.steps.apply_on_active import ApplyOnActive
from workers.validator.steps.validate import Validate

ROWS = 5000
BATCH = "-- bluegreen: batch table=t key=id size=300\n"
ONCE_MORE = f"{BATCH}UPDATE t SET v = v + 1 WHERE id % 2 = 0;"
CHANGED = "SELECT count(*) FROM t WHERE v = 1 AND id % 2 = 0"
WRONG = "SELECT count(*) FROM t WHERE v <> CASE WHEN id % 2 = 0 THEN 1 ELSE 0 END"


@pytest.fixture(scope="module", params=VERSIONS)
def made(request: pytest.FixtureRequest) -> Iterator[Pair]:
    with pair(request.param) as servers:
        yield servers


@pytest.fixture
def servers(made: Pair, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    monkeypatch.setattr(pace, "QUIET_S", 0.0)
    made.run(BLUE, "CREATE TABLE t (id int PRIMARY KEY, v int DEFAULT 0, w int)", user="app")
    made.run(BLUE, f"INSERT INTO t SELECT g * 3 FROM generate_series(1, {ROWS}) AS g", user="app")
    made.run(BLUE, "ANALYZE t")
    yield made
    made.run(BLUE, "DROP TABLE t; DELETE FROM bluegreen.applied")


@pytest.fixture
def pool() -> CountingPool:
    return CountingPool()


def applying(nodes: Mapping[Colour, Node], pool: CountingPool) -> ApplyOnActive:
    promotion = Promotion(nodes, pool, pool)  # type: ignore[arg-type]
    walking = Batches(nodes, pool)  # type: ignore[arg-type]
    return ApplyOnActive(nodes, Background(), pool.short_pause(), as_app, promotion, walking)


def as_app(session: Session, job: Job) -> str:
    return "app"


def safe(servers: Pair, sql: str, kind: Kind = Kind.SAFE) -> Job:
    job = job_on(BLUE, sql=sql, kind=kind)
    return job.model_copy(update={"facts": {"validate": Validate(servers.nodes).do(job).facts}})


def test_every_row_is_changed_once_in_transactions_of_their_own(
    servers: Pair, pool: CountingPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "LONG_BATCH_S", 60.0)  # on a busy host too
    job, step = safe(servers, ONCE_MORE), applying(servers.nodes, pool)
    done(step, job)
    done(step, job)
    assert servers.value(BLUE, WRONG) == 0
    transactions = "SELECT count(DISTINCT xmin::text) FROM t WHERE v = 1"
    assert servers.value(BLUE, transactions) == -(-ROWS // 300)
    with pytest.raises(Broken, match=r"at 2:1; it is committed and stays"):
        step.undo(job)


@pytest.mark.parametrize(
    "act", ["UPDATE t", "UPDATE bluegreen.applied", "RESET ROLE", "INSERT INTO bluegreen.applied"]
)
def test_a_worker_that_dies_in_it_again_and_again_changes_no_row_twice(
    servers: Pair, pool: CountingPool, act: str
) -> None:
    job = safe(servers, ONCE_MORE)
    for _ in range(4):
        with pytest.raises(Died):
            done(applying(DyingNodes(servers.nodes, act), pool), job)
    done(applying(servers.nodes, pool), job)
    assert servers.value(BLUE, WRONG) == 0


def test_its_session_is_killed_in_the_middle_and_it_goes_on_from_there(
    servers: Pair, pool: CountingPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "LOOK_S", 0.05)
    servers.run(
        BLUE,
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN PERFORM pg_sleep(0.0002); RETURN NEW; END$$;"
        " CREATE TRIGGER slow BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION slow()",
    )
    job, step = safe(servers, ONCE_MORE), applying(servers.nodes, pool)
    stop = threading.Event()

    def kill() -> None:
        with servers.connect(BLUE) as connection:
            while not stop.wait(0.2):
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name LIKE 'bluegreen/file/%'"
                )

    killer = threading.Thread(target=kill)
    killer.start()
    failures = 0
    try:
        for _ in range(400):
            answer = step.do(job)
            if not isinstance(answer, Pending):
                break
            failures += "administrator command" in answer.sentence
    finally:
        stop.set()
        killer.join()
    done(step, job)
    assert failures > 0
    assert servers.value(BLUE, WRONG) == 0
    servers.run(BLUE, "DROP FUNCTION slow CASCADE")


def test_a_server_that_restarts_in_the_middle_is_waited_for(
    servers: Pair, pool: CountingPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "LOOK_S", 0.01)
    job, step = safe(servers, ONCE_MORE), applying(servers.nodes, pool)
    while not servers.value(BLUE, CHANGED):
        assert isinstance(step.do(job), Pending)
    servers.drivers[BLUE].stop(mode="immediate", limit_s=30)
    for _ in range(3):
        answer = forward(step, job)
        assert isinstance(answer, Pending)
        assert answer.sentence.startswith("waits for blue")
    servers.drivers[BLUE].start(limit_s=30)
    done(step, job)
    assert servers.value(BLUE, WRONG) == 0


def test_progress_and_the_time_that_is_left_are_told(
    servers: Pair, pool: CountingPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "LOOK_S", 0.01)
    job, step = safe(servers, ONCE_MORE), applying(servers.nodes, pool)
    seen: list[Pending] = []
    while isinstance(answer := step.do(job), Pending):
        seen.append(answer)
    told = [answer.progress for answer in seen if answer.progress is not None]
    assert told == sorted(told)
    assert told[-1] > 0.5
    assert f"of about {ROWS} looked at" in seen[-1].sentence


def test_progress_is_told_of_a_table_that_was_never_analyzed(
    servers: Pair, pool: CountingPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "LOOK_S", 0.01)
    servers.run(BLUE, "CREATE TABLE kept AS TABLE t; TRUNCATE t; INSERT INTO t TABLE kept")
    servers.run(BLUE, "DROP TABLE kept")
    job, step = safe(servers, ONCE_MORE), applying(servers.nodes, pool)
    first = step.do(job)
    assert isinstance(first, Pending)
    assert first.progress is not None
    done(step, job)
    assert servers.value(BLUE, WRONG) == 0


def test_a_lock_that_the_application_holds_is_waited_for_elsewhere(
    servers: Pair, pool: CountingPool
) -> None:
    job, step = safe(servers, ONCE_MORE), applying(servers.nodes, pool)
    with servers.connect(BLUE, "app") as holder, holder.transaction():
        holder.execute("UPDATE t SET w = 1 WHERE id = 6")
        answers = [step.do(job) for _ in range(3)]
        assert any("lock timeout" in answer.sentence for answer in answers)
        assert servers.value(BLUE, CHANGED) == 0
    done(step, job)
    assert servers.value(BLUE, WRONG) == 0


def test_it_waits_while_the_standby_is_behind(
    servers: Pair, pool: CountingPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "LAG_LIMIT_BYTES", 200_000)
    servers.run(GREEN, "SELECT pg_wal_replay_pause()")
    job, step = safe(servers, ONCE_MORE), applying(servers.nodes, pool)
    for _ in range(20):
        answer = step.do(job)
    assert isinstance(answer, Pending)
    assert "waits for the standby" in answer.sentence
    changed = servers.value(BLUE, CHANGED)
    assert isinstance(step.do(job), Pending)
    assert servers.value(BLUE, CHANGED) == changed
    assert int(str(changed)) < ROWS // 2
    servers.run(GREEN, "SELECT pg_wal_replay_resume()")
    done(step, job)
    assert servers.value(BLUE, WRONG) == 0


def test_it_makes_way_for_an_application_that_slows_down(
    servers: Pair, pool: CountingPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slowed(CountingPool):
        def traffic(self) -> PoolTraffic:
            """4 ms for each transaction at first, 40 ms as soon as rows change."""
            ms = 40 if servers.value(BLUE, CHANGED) else 4
            before = self.counted
            self.counted = PoolTraffic(before.transactions + 50, before.seconds + 50 * ms / 1000)
            return self.counted

    job, step = safe(servers, ONCE_MORE), applying(servers.nodes, Slowed())
    answers = [step.do(job) for _ in range(4)]
    assert any("transactions take 40.0 ms, usually 4.0" in one.sentence for one in answers)
    pauses = [pace.pause_s for pace in step.batches._paces.values()]
    assert pauses[0] >= 0.4
    assert 0 < int(str(servers.value(BLUE, CHANGED))) < ROWS // 2


def test_it_pauses_by_hand_between_batches_and_goes_on(
    servers: Pair, pool: CountingPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "LOOK_S", 0.01)
    job, step = safe(servers, ONCE_MORE), applying(servers.nodes, pool)
    while not servers.value(BLUE, CHANGED):
        assert isinstance(step.do(job), Pending)
    paused = job.model_copy(update={"requests": frozenset({"pause"})})
    changed = servers.value(BLUE, CHANGED)
    for _ in range(3):
        answer = step.do(paused)
        assert isinstance(answer, Pending)
        assert f"`bluegreen resume {job.id}` goes on; {changed} rows changed" in answer.sentence
    assert servers.value(BLUE, CHANGED) == changed
    done(step, job)
    assert servers.value(BLUE, WRONG) == 0


@pytest.mark.parametrize(
    ("directive", "why"),
    [
        ("batch table=t key=w size=300", 'key "w" of "t" lacks NOT NULL'),
        ("batch table=t key=v size=300", 'key "v" of "t" lacks an index'),
        ("batch table=t key=x size=300", 'expected a table "t" with "x", found none'),
    ],
)
def test_a_key_along_which_rows_would_be_missed_is_refused(
    servers: Pair, pool: CountingPool, directive: str, why: str
) -> None:
    servers.run(BLUE, "ALTER TABLE t ALTER v SET NOT NULL; CREATE INDEX ON t (w)")
    column = "v" if "key=w" in directive else "w"
    sql = f"-- bluegreen: {directive}\nUPDATE t SET {column} = 1 WHERE id > 0;"
    job, step = safe(servers, sql), applying(servers.nodes, pool)
    with pytest.raises(Refused, match=why) as refused:
        done(step, job)
    assert refused.value.message.startswith("0001.sql:2:1:")
    undone(step, job)


def test_keys_of_other_types_and_duplicates_are_walked(servers: Pair, pool: CountingPool) -> None:
    servers.run(BLUE, "CREATE TABLE u (k text COLLATE \"C\" NOT NULL, n int DEFAULT 0);"
                " INSERT INTO u SELECT 'it''s ' || (g / 7) FROM generate_series(1, 2000) AS g;"
                " CREATE INDEX ON u (k); ALTER TABLE u OWNER TO app")  # fmt: skip
    sql = "-- bluegreen: batch table=u key=k size=10\nUPDATE u SET n = n + 1;"
    done(applying(servers.nodes, pool), safe(servers, sql))
    assert servers.rows(BLUE, "SELECT DISTINCT n FROM u") == [(1,)]
    servers.run(BLUE, "DROP TABLE u")


def test_a_statement_that_fails_in_a_batch_says_where_and_what_is_done_stays(
    servers: Pair, pool: CountingPool
) -> None:
    servers.run(BLUE, "ALTER TABLE t ADD CONSTRAINT small CHECK (w < 9000)")
    job = safe(servers, f"{BATCH}UPDATE t SET w = id, v = v + 1;")
    step = applying(servers.nodes, pool)
    with pytest.raises(Refused, match=r"0001.sql:2:1: .*violates check constraint"):
        done(step, job)
    with pytest.raises(Broken, match="stays"):
        step.undo(job)
    servers.run(BLUE, "ALTER TABLE t DROP CONSTRAINT small")
    done(step, job)
    assert servers.rows(BLUE, "SELECT DISTINCT v FROM t") == [(1,)]
