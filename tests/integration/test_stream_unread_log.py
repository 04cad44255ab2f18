"""Where nobody reads a server's log: a lost connection stops no stream for good, a row that cannot
be applied does.

Servers of which only an address is known, with no JSON log; one of them without a superuser.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.domain.errors import Refused
from shared.domain.migration import Job
from shared.ports import Pending
from tests.support.ladder import climb, descend, steps_of
from tests.support.remote_pair import RemotePair, remote_pair
from tests.support.shapes import FILE, SCHEMA
from tests.support.sides import BLUE, GREEN
from tests.support.steps import done, finished
from tests.support.wait import until
from workers.replicator.stream_keeper import StreamKeeper

ENABLED = "SELECT subenabled FROM pg_subscription WHERE subname = 'bluegreen_forward'"
LATE = "SELECT count(*) FROM users WHERE mail = 'late'"
STARTS = "SELECT coalesce(max(times), 0) FROM bluegreen.started_again"
ALLOWED = 5
LAST_LINES = 12
OFTEN = 7
"""More than a stream is started again at one place."""


@pytest.fixture(scope="module", params=[(15, True), (18, False)], ids=["15", "18-plain"])
def made(request: pytest.FixtureRequest) -> Iterator[tuple[RemotePair, Job]]:
    version, superuser = request.param
    with remote_pair(version, superuser=superuser) as servers:
        servers.run(BLUE, SCHEMA, user="app")
        yield servers, servers.rehearsed(FILE)


@pytest.fixture
def servers(made: tuple[RemotePair, Job]) -> Iterator[RemotePair]:
    servers, job = made
    yield servers
    descend(servers, job)


@pytest.fixture
def job(made: tuple[RemotePair, Job]) -> Job:
    return made[1]


def keeper(servers: RemotePair, job: Job) -> StreamKeeper:
    return StreamKeeper(servers.nodes, lambda: job.id)


def kill_blue(servers: RemotePair) -> None:
    servers.servers[BLUE].stop("immediate")
    until(lambda: not servers.value(GREEN, ENABLED), limit_s=20, what="the stream stops")
    servers.servers[BLUE].start()


def write_late(servers: RemotePair) -> None:
    servers.run(
        BLUE,
        "INSERT INTO users (mail, age, bio, legacy, price) VALUES ('late', 70, 'b', 'y', 250)",
        user="app",
    )


def test_a_source_that_is_killed_again_and_again_in_an_hour_without_writes(
    servers: RemotePair, job: Job
) -> None:
    climb(servers, job)
    assert servers.value(GREEN, "SELECT bluegreen.newest_apply_error()") == "unread"
    watch = keeper(servers, job)
    for _ in range(OFTEN):
        place = servers.value(GREEN, "SELECT bluegreen.place_of(oid) FROM pg_subscription")
        kill_blue(servers)
        assert watch.look() == ["bluegreen_forward"]
        until(
            lambda there=place: moved_on(servers, watch, there),  # type: ignore[misc]
            limit_s=20, what="the stream moves on from where it was started",
        )  # fmt: skip
        assert servers.value(GREEN, STARTS) == 1
    before = servers.value(GREEN, LATE)
    write_late(servers)
    until(lambda: servers.value(GREEN, LATE) == before + 1, limit_s=20, what="the late row")


def moved_on(servers: RemotePair, watch: StreamKeeper, there: object) -> bool:
    watch.look()
    now = servers.value(GREEN, "SELECT bluegreen.place_of(oid) FROM pg_subscription")
    return now != there


def test_a_row_that_cannot_be_applied_stops_it_for_good_and_what_is_mended_goes_on(
    servers: RemotePair, job: Job
) -> None:
    climb(servers, job)
    watch, before = keeper(servers, job), servers.value(GREEN, LATE)
    servers.run(GREEN, "INSERT INTO events (id, n) VALUES (70001, 1)")
    servers.run(BLUE, "INSERT INTO events (id, code, n) VALUES (70001, 'c', 1)", user="app")
    write_late(servers)
    until(lambda: stays_stopped(servers, watch), limit_s=60, what="no start any more")
    assert servers.value(GREEN, STARTS) == ALLOWED
    assert servers.value(GREEN, LATE) == before, "nothing behind the row came past it"
    with pytest.raises(Refused, match="could not take what the source sent"):
        finished(lambda: steps_of(servers)["catch_up"].do(job))

    servers.run(GREEN, "DELETE FROM events WHERE id = 70001")
    servers.run(GREEN, "ALTER SUBSCRIPTION bluegreen_forward ENABLE")
    until(lambda: servers.value(GREEN, LATE) == before + 1, limit_s=20, what="the row behind it")
    kill_blue(servers)
    assert watch.look() == ["bluegreen_forward"], "at another place it counts from one"
    servers.run(BLUE, "DELETE FROM events WHERE id = 70001", user="app")


def stays_stopped(servers: RemotePair, watch: StreamKeeper) -> bool:
    """A look that finds it stopped and leaves it so."""
    return not servers.value(GREEN, ENABLED) and watch.look() == []


def test_a_copy_that_loses_its_source_goes_on(servers: RemotePair, job: Job) -> None:
    servers.run(
        BLUE,
        "INSERT INTO users (mail, age, bio, legacy, price) SELECT 'm', 1, repeat('b', 2000), 'x', 1"
        " FROM generate_series(1, 100000)",
        user="app",
    )
    ladder = steps_of(servers)
    done(ladder["freeze_schema"], job)
    until(
        lambda: (isinstance(ladder["create_green"].do(job), Pending)
                 and servers.rows(GREEN, "SELECT 1 FROM pg_stat_progress_copy") != []),
        limit_s=60, what="rows are copied",
    )  # fmt: skip
    servers.servers[BLUE].stop("immediate")
    until(
        lambda: not servers.value(
            GREEN, "SELECT subenabled FROM pg_subscription WHERE subname = 'bluegreen_copy'"
        ),
        limit_s=20, what="the copy stops",
    )  # fmt: skip
    servers.servers[BLUE].start()
    try:
        done(ladder["create_green"], job, limit_s=120)
    except AssertionError as error:
        raise AssertionError(f"{error}; {state_of_copy(servers)}") from error
    count = "SELECT count(*) FROM users"
    assert servers.value(GREEN, count) == servers.value(BLUE, count)
    servers.run(BLUE, "DELETE FROM users", user="app")


def state_of_copy(servers: RemotePair) -> str:
    """Who is there to go on with it, and what the target's log said last."""
    asked = {
        "tables": (GREEN, "SELECT srrelid::regclass::text, srsubstate, srsublsn::text"
                   " FROM pg_subscription_rel WHERE srsubstate <> 'r'"),
        "workers": (GREEN, "SELECT subname, pid, relid::regclass::text, received_lsn::text,"
                    " latest_end_lsn::text FROM pg_stat_subscription"),
        "waits": (GREEN, "SELECT pid, backend_type, state, wait_event FROM pg_stat_activity"
                  " WHERE backend_type LIKE 'logical replication%'"),
        "starts": (GREEN, "SELECT place, times, errors FROM bluegreen.started_again"),
        "slots": (BLUE, "SELECT slot_name, active, confirmed_flush_lsn::text,"
                  " pg_current_wal_lsn()::text FROM pg_replication_slots"),
    }  # fmt: skip
    found = {what: servers.rows(*question) for what, question in asked.items()}
    lines = (servers.servers[GREEN].root / "log").read_text(errors="replace").splitlines()
    return f"{found}; {lines[-LAST_LINES:]}"
