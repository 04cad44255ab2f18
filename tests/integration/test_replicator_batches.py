"""A bulk change in batches: every row once, whatever dies."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from shared.domain.errors import Broken, Refused
from shared.ports import Pending
from shared.runner import forward
from tests.support.batched_table import BATCH, CHANGED, ONCE_MORE, ROWS, WRONG, batched_table
from tests.support.dying import Died, DyingNodes
from tests.support.fake_pool import CountingPool
from tests.support.pair import Pair
from tests.support.safe_file import applying, safe
from tests.support.sides import BLUE
from tests.support.steps import done, undone
from workers.replicator import batches, pace


@pytest.fixture
def servers(bare: Pair, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    monkeypatch.setattr(pace, "QUIET_S", 0.0)
    with batched_table(bare):
        yield bare


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
