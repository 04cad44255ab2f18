"""Where only addresses are known green is copied: rows up to a point, and the stream from there."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
import pytest

from shared.domain.errors import Refused
from shared.domain.migration import Job
from tests.support.dying import Died, DyingNodes
from tests.support.ladder import climb, descend, ladder, steps_of
from tests.support.remote_pair import RemotePair, remote_pair
from tests.support.shapes import FILE, MANY_ROWS, SCHEMA
from tests.support.sides import BLUE, GREEN
from tests.support.steps import done, undone

OLDEST, NEWEST = 15, 18
VIEW = "CREATE MATERIALIZED VIEW ages AS SELECT age, count(*) FROM users GROUP BY age"
LEFT = """
SELECT 'publication ' || pubname FROM pg_publication
UNION ALL SELECT 'subscription ' || subname FROM pg_subscription
UNION ALL SELECT 'slot ' || slot_name FROM pg_replication_slots
UNION ALL SELECT 'event trigger ' || evtname FROM pg_event_trigger
UNION ALL SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname = 'bluegreen_job'
UNION ALL SELECT 'origin ' || roname FROM pg_replication_origin
UNION ALL SELECT 'database ' || datname FROM pg_database
    WHERE datname NOT IN ('postgres', 'app', 'template0', 'template1')
"""


@pytest.fixture(scope="module", params=[OLDEST, NEWEST])
def made(request: pytest.FixtureRequest) -> Iterator[tuple[RemotePair, Job]]:
    with remote_pair(request.param) as servers:
        servers.run(BLUE, SCHEMA + MANY_ROWS + VIEW, user="app")
        yield servers, servers.rehearsed(FILE)


@pytest.fixture
def servers(made: tuple[RemotePair, Job]) -> Iterator[RemotePair]:
    """The pair at rest, before and after."""
    servers, job = made
    yield servers
    descend(servers, job)
    assert servers.rows(BLUE, LEFT) == []
    assert servers.rows(GREEN, LEFT) == []
    assert servers.rows(GREEN, "SELECT * FROM bluegreen.contents()") == []


@pytest.fixture
def job(made: tuple[RemotePair, Job]) -> Job:
    return made[1]


@contextmanager
def writing(servers: RemotePair) -> Iterator[None]:
    """Somebody writes on blue, in rows that the copy may have taken already, or not yet."""
    stop = threading.Event()

    def write() -> None:
        with servers.connect(BLUE, "app") as connection:
            number = 0
            while not stop.is_set():
                number += 1
                connection.execute(
                    "INSERT INTO users (mail, age, bio, legacy, price)"
                    " VALUES ('live', 70, repeat('z', 9000), 'y', 250)"
                )
                connection.execute(
                    "UPDATE users SET price = price + 1 WHERE id = %s", [number * 7 % 2000 + 1]
                )
                connection.execute("DELETE FROM orders WHERE id = %s", [number])
                stop.wait(0.002)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


RAW = "SELECT id, mail, age, md5(bio), price FROM users ORDER BY id"
REST = "SELECT id, note FROM orders ORDER BY id"


def test_the_copy_has_every_row_that_was_written_meanwhile(servers: RemotePair, job: Job) -> None:
    with writing(servers):
        climb(servers, job)
    done(steps_of(servers)["catch_up"], job)
    assert servers.rows(GREEN, RAW) == servers.rows(BLUE, RAW)
    assert servers.rows(GREEN, REST) == servers.rows(BLUE, REST)
    assert servers.rows(GREEN, "SELECT age FROM ages LIMIT 1") != []
    wrong = servers.rows(
        GREEN, "SELECT id FROM users WHERE tier IS DISTINCT FROM CASE WHEN age > 60 THEN 'senior'"
        " WHEN age IS NULL THEN 'unknown' ELSE 'regular' END OR bluegreen_r_price <> price / 100.0",
    )  # fmt: skip
    assert wrong == []


def test_sequences_are_found_by_name_though_their_identifiers_differ(
    servers: RemotePair, job: Job
) -> None:
    servers.run(BLUE, "SELECT setval('users_id_seq', 123456)")
    climb(servers, job)
    there = servers.value(GREEN, "SELECT last_value FROM users_id_seq")
    assert there == 124456, "a thousand values ahead"
    positions = servers.value(GREEN, "SELECT bluegreen.sequence_positions()")
    servers.run(GREEN, "SELECT nextval('users_id_seq')")
    with servers.connect(BLUE) as administrator:
        administrator.execute(
            "SELECT bluegreen.advance_sequences(%s::jsonb, 0)", [json.dumps(positions)]
        )
    assert servers.value(BLUE, "SELECT last_value FROM users_id_seq") == 124456


def test_green_is_closed_and_has_the_keys_and_indexes_of_blue(
    servers: RemotePair, job: Job
) -> None:
    climb(servers, job, before="apply_migration")
    with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
        servers.connect(GREEN, "app")
    defined = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
    assert servers.rows(GREEN, defined) == servers.rows(BLUE, defined)
    assert servers.rows(GREEN, "SELECT bluegreen.holds_back()") == [(True,)]


def test_a_database_that_nobody_gave_up_is_refused_and_left_alone(
    servers: RemotePair, job: Job
) -> None:
    climb(servers, job, before="create_green")
    servers.run(GREEN, "CREATE TABLE theirs (n int)")
    try:
        with pytest.raises(Refused, match=r"found table public\.theirs; nothing was dropped"):
            done(steps_of(servers)["create_green"], job)
        undone(steps_of(servers)["create_green"], job)
        assert servers.value(GREEN, "SELECT to_regclass('theirs') IS NOT NULL")
    finally:
        servers.run(GREEN, "DROP TABLE theirs")


def test_what_a_job_left_there_is_emptied_and_nothing_of_an_extension(
    servers: RemotePair, job: Job
) -> None:
    servers.run(
        GREEN,
        "CREATE SCHEMA old; CREATE TABLE old.t (id serial PRIMARY KEY);"
        "CREATE TYPE mood AS ENUM ('x'); CREATE TABLE users (id int GENERATED ALWAYS AS IDENTITY,"
        " m mood); CREATE VIEW v AS TABLE users; CREATE SEQUENCE alone;"
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';"
        "INSERT INTO bluegreen.given_up VALUES ('20261101-0001')",
    )
    climb(servers, job, before="apply_migration")
    assert servers.value(
        GREEN, "SELECT to_regclass('v') IS NULL AND to_regnamespace('old') IS NULL"
    )
    assert servers.value(GREEN, "SELECT count(*) FROM bluegreen.given_up") == 0
    assert servers.rows(GREEN, RAW) == servers.rows(BLUE, RAW)


def test_roles_that_are_missing_are_made_and_verifiers_are_the_same(
    servers: RemotePair, job: Job
) -> None:
    servers.run(
        BLUE,
        "CREATE ROLE readers NOLOGIN; CREATE ROLE clerk LOGIN PASSWORD 'a' IN ROLE readers;"
        "ALTER ROLE clerk SET work_mem = '8MB'; GRANT SELECT ON orders TO readers",
    )
    servers.run(GREEN, "ALTER ROLE app PASSWORD 'another'")
    try:
        climb(servers, job, before="apply_migration")
        told = "SELECT rolname, rolpassword, rolcanlogin FROM pg_authid WHERE rolname = "
        assert servers.rows(GREEN, told + "'clerk'")[0][1:] == (
            servers.value(BLUE, "SELECT rolpassword FROM pg_authid WHERE rolname = 'clerk'"),
            False,  # closed, as every login there
        )
        verifier = "SELECT rolpassword FROM pg_authid WHERE rolname = 'app'"
        assert servers.value(GREEN, verifier) == servers.value(BLUE, verifier)
        assert servers.value(GREEN, "SELECT pg_has_role('clerk', 'readers', 'MEMBER')")
        assert servers.value(GREEN, "SELECT has_table_privilege('readers', 'orders', 'SELECT')")
        assert servers.value(
            GREEN, "SELECT rolconfig[1] FROM pg_roles WHERE rolname = 'clerk'"
        ) == ("work_mem=8MB")
    finally:
        for name in ("create_green", "freeze_schema"):
            undone(steps_of(servers)[name], job)
        servers.run(BLUE, "REVOKE SELECT ON orders FROM readers")
        for colour in (BLUE, GREEN):
            servers.run(colour, "DROP ROLE clerk; DROP ROLE readers")
        servers.run(GREEN, "DELETE FROM bluegreen.fenced_role WHERE name = 'clerk'")


ACTS = (
    "CREATE PUBLICATION", "bluegreen.fence", "COMMENT ON SCHEMA", "copy: tables",
    "pg_create_logical_replication_slot", "CREATE SUBSCRIPTION", "write_marker", "DISABLE",
    "pg_logical_emit_message", "sequence_twin", "SET lsn =", "DROP SUBSCRIPTION",
    "DROP PUBLICATION", "copy: rest",
)  # fmt: skip


def die_while_copying(servers: RemotePair, job: Job, act: str) -> None:
    climb(servers, job, before="create_green")
    nodes = DyingNodes(servers.nodes, act)
    step = ladder(nodes, servers.databases)["create_green"]
    deadline = time.monotonic() + 30
    while not nodes.has_died:  # in the background it is the thread that dies
        assert time.monotonic() < deadline, f"never came to {act}"
        with suppress(Died):
            step.do(job)


THREADS_DIE = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


@THREADS_DIE
@pytest.mark.parametrize("act", ACTS)
def test_a_copy_that_died_after_any_act_goes_on_and_loses_nothing(
    servers: RemotePair, job: Job, act: str
) -> None:
    with writing(servers):
        die_while_copying(servers, job, act)
        climb(servers, job)
    done(steps_of(servers)["catch_up"], job)
    assert servers.rows(GREEN, RAW) == servers.rows(BLUE, RAW)
    assert servers.rows(GREEN, REST) == servers.rows(BLUE, REST)


@THREADS_DIE
@pytest.mark.parametrize("act", ["copy: tables", "CREATE SUBSCRIPTION", "SET lsn ="])
def test_a_copy_that_died_can_be_undone(servers: RemotePair, job: Job, act: str) -> None:
    die_while_copying(servers, job, act)  # the fixture undoes it, and looks at what is left
