"""From a standing standby to a green that follows, step by step, and all the way back."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from shared.domain.errors import Refused
from shared.domain.facts import Fork, Rehearsal
from shared.domain.migration import Job
from shared.mapping.model import Mapping
from shared.ports import Pending
from tests.support.dying import Died, DyingNodes
from tests.support.ladder import NAMES, climb, ladder
from tests.support.pair import Pair
from tests.support.shapes import FILE
from tests.support.sides import BLUE, GREEN
from tests.support.steps import done, finished, undone
from tests.support.wait import until


@contextmanager
def writing(servers: Pair) -> Iterator[list[int]]:
    """Somebody writes on blue, in rows that the file changes; the ids that were acknowledged."""
    acknowledged: list[int] = []
    stop = threading.Event()

    def write() -> None:
        with servers.connect(BLUE, "app") as connection:
            while not stop.is_set():
                row = connection.execute(
                    "INSERT INTO users (mail, age, bio, legacy, price)"
                    " VALUES ('live', 70, repeat('z', 9000), 'y', 250) RETURNING id"
                ).fetchone()
                assert row is not None
                connection.execute("UPDATE users SET price = price + 1 WHERE id = %s", row)
                acknowledged.append(row[0])
                stop.wait(0.002)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield acknowledged
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("name", NAMES)
def test_a_step_may_be_repeated_either_way_and_undone_without_having_been_done(
    servers: Pair, job: Job, name: str
) -> None:
    climb(servers, job, before=name)
    step = ladder(servers.nodes)[name]
    if name != "create_green":  # its undo from here is a full turn: the fixture makes it
        undone(step, job)
    assert not step.is_done(job)
    done(step, job)
    finished(lambda: step.do(job))
    assert step.is_done(job)
    for _ in range(2):
        undone(step, job)
    if name not in ("apply_migration",):  # green is thrown away as a whole
        assert not step.is_done(job)


def test_nothing_written_between_fork_and_subscription_is_lost_or_doubled(
    servers: Pair, job: Job
) -> None:
    with writing(servers) as acknowledged:
        climb(servers, job)
        until(lambda: len(acknowledged) > 50, limit_s=10, what="some writes")
    done(ladder(servers.nodes)["catch_up"], job)
    there = servers.rows(GREEN, "SELECT id FROM users WHERE mail = 'live'")
    assert sorted(row[0] for row in there) == sorted(acknowledged)
    raw = "SELECT id, mail, age, md5(bio), price FROM users ORDER BY id"
    assert servers.rows(BLUE, raw) == servers.rows(GREEN, raw)
    wrong = servers.rows(
        GREEN, "SELECT id FROM users WHERE tier IS DISTINCT FROM CASE WHEN age > 60 THEN 'senior'"
        " WHEN age IS NULL THEN 'unknown' ELSE 'regular' END OR bluegreen_r_price <> price / 100.0",
    )  # fmt: skip
    assert wrong == []


def test_a_row_that_green_cannot_take_at_once_is_told_in_the_servers_words(
    servers: Pair, job: Job
) -> None:
    """Apply may stop before anybody has looked whether the subscription runs."""
    climb(servers, job, before="subscribe")
    row = "INSERT INTO orders (id, user_id) OVERRIDING SYSTEM VALUE VALUES (-7, 1)"
    servers.run(GREEN, f"SET session_replication_role = replica; {row}")
    servers.run(BLUE, row)
    steps = ladder(servers.nodes)
    finished(lambda: steps["subscribe"].do(job))
    enabled = "SELECT subenabled FROM pg_subscription"
    until(lambda: servers.rows(GREEN, enabled) == [(False,)], limit_s=10, what="apply stops")
    until(lambda: steps["subscribe"].is_done(job), limit_s=2, what="it is known to have begun")
    with pytest.raises(Refused, match=r"(?s)source sent: .*\(id\)=\(-7\)"):
        done(steps["catch_up"], job)
    servers.run(BLUE, "DELETE FROM orders WHERE id = -7")


def test_green_is_closed_to_the_application_from_its_first_moment(servers: Pair, job: Job) -> None:
    stop, entered = threading.Event(), []

    def knock() -> None:
        while not stop.is_set():
            try:
                with servers.connect(GREEN, "app") as connection:
                    connection.execute("CREATE TEMP TABLE in_green ()")
                    entered.append(1)
            except psycopg.Error:
                pass

    visitor = threading.Thread(target=knock)
    visitor.start()
    climb(servers, job, before="apply_migration")
    stop.set()
    visitor.join()
    assert entered == []
    with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
        servers.connect(GREEN, "app")


ACTS = (
    "CREATE PUBLICATION", "set_access", "stop", "pg_create_logical_replication_slot",
    "SET lsn =", "set_recovery", "SET armed", "start", "bluegreen.fence", "clear_recovery",
    "pg_drop_replication_slot",
)  # fmt: skip


def die_while_forking(servers: Pair, job: Job, act: str) -> None:
    climb(servers, job, before="create_green")
    with pytest.raises(Died):
        finished(lambda: ladder(DyingNodes(servers.nodes, act))["create_green"].do(job))


@pytest.mark.parametrize("act", ACTS)
def test_a_fork_that_died_after_any_act_goes_on_and_loses_nothing(
    servers: Pair, job: Job, act: str
) -> None:
    die_while_forking(servers, job, act)
    servers.run(BLUE, "INSERT INTO orders (note) VALUES ('after the death')", user="app")
    facts = Fork.model_validate(done(ladder(servers.nodes)["create_green"], job).facts)
    assert facts.seconds_to_writable > 0
    done(ladder(servers.nodes)["subscribe"], job)
    count = "SELECT count(*) FROM orders"
    until(
        lambda: servers.value(GREEN, count) == servers.value(BLUE, count),
        limit_s=10, what="green has every row",
    )  # fmt: skip


@pytest.mark.parametrize("act", ["stop", "SET lsn =", "SET armed", "start", "bluegreen.fence"])
def test_a_fork_that_died_after_any_act_can_be_undone(servers: Pair, job: Job, act: str) -> None:
    die_while_forking(servers, job, act)  # the fixture undoes it, and looks at what is left


def test_a_green_that_loses_power_on_its_way_comes_back(servers: Pair, job: Job) -> None:
    climb(servers, job, before="apply_migration")
    servers.drivers[GREEN].kill()
    servers.drivers[GREEN].start(limit_s=20)
    climb(servers, job)
    servers.drivers[GREEN].kill()  # undoing needs no green that runs


def test_a_long_write_transaction_is_waited_for_with_the_standby_at_work(
    servers: Pair, job: Job
) -> None:
    climb(servers, job, before="create_green")
    step = ladder(servers.nodes)["create_green"]
    with servers.connect(BLUE, "app") as other, other.transaction():
        other.execute("INSERT INTO events (code) VALUES ('slow')")
        until(
            lambda: servers.value(BLUE, "SELECT bool_or(xact_start < clock_timestamp()"
                                  " - interval '1.1 s') FROM pg_stat_activity"),
            limit_s=20, what="the transaction is old",
        )  # fmt: skip
        answer = step.do(job)
        assert isinstance(answer, Pending)
        assert "app" in answer.sentence
        assert servers.is_standby(GREEN)
    done(step, job)


def test_a_file_that_fails_on_green_says_where_and_leaves_blue_alone(
    servers: Pair, job: Job
) -> None:
    climb(servers, job, before="apply_migration")
    broken = FILE + "ALTER TABLE events ADD CONSTRAINT small CHECK (n < 100);"
    with pytest.raises(Refused, match=r"0001.sql:\d+:1: .*violated by some row"):
        done(ladder(servers.nodes)["apply_migration"], job.model_copy(update={"sql": broken}))


def test_a_row_that_green_cannot_take_is_told_in_the_servers_own_words(
    servers: Pair, job: Job
) -> None:
    climb(servers, job)
    in_the_way = "INSERT INTO events (id, n) VALUES (777777, 1)"
    servers.run(GREEN, f"SET session_replication_role = replica; {in_the_way}")
    servers.run(BLUE, "INSERT INTO events (id, code) VALUES (777777, 'c')", user="app")
    step = ladder(servers.nodes)["catch_up"]
    until(
        lambda: not servers.value(GREEN, "SELECT subenabled FROM pg_subscription"),
        limit_s=10, what="the subscription stops",
    )  # fmt: skip
    with pytest.raises(Refused, match=r"duplicate key value|conflict detected"):
        step.do(job)
    servers.run(BLUE, "DELETE FROM events WHERE id = 777777")


def test_rows_that_break_a_new_foreign_key_are_named(servers: Pair, job: Job) -> None:
    mapping = Mapping.model_validate(Rehearsal.of(job).mapping)
    assert [key.name for key in mapping.foreign_keys] == ["orders_user"]
    climb(servers, job, before="catch_up")
    servers.run(BLUE, "INSERT INTO orders (user_id) VALUES (123456)")
    with pytest.raises(Refused, match=r"orders_user.*123456"):
        done(ladder(servers.nodes)["catch_up"], job)
    servers.run(BLUE, "DELETE FROM orders WHERE user_id = 123456")
