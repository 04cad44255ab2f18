"""A server that is killed stops the stream that reads from it, and the stream runs again by itself.

Only where nothing but the connection was lost, and never while an attempt at a cutover is open.
"""

from __future__ import annotations

import pytest

from shared.domain.errors import Refused
from shared.domain.migration import Job
from tests.support.ladder import climb, ladder
from tests.support.pair import Pair
from tests.support.sides import BLUE, GREEN
from tests.support.steps import done, finished
from tests.support.wait import until
from workers.replicator.stream_keeper import StreamKeeper

ENABLED = "SELECT subenabled FROM pg_subscription WHERE subname = 'bluegreen_forward'"
OPEN = "SELECT bluegreen.open_attempt(%d, '%s', 'forward', 'new', true)"
LATE = "SELECT count(*) FROM users WHERE mail = 'late'"


@pytest.fixture
def servers(servers: Pair, job: Job) -> Pair:
    """Green follows."""
    climb(servers, job)
    return servers


def keeper(servers: Pair, job: Job | None) -> StreamKeeper:
    return StreamKeeper(servers.nodes, lambda: None if job is None else job.id)


def kill_blue(servers: Pair) -> None:
    """As the kernel would; afterwards it runs again, and green's stream has stopped."""
    servers.drivers[BLUE].stop(mode="immediate", limit_s=20)
    until(lambda: not servers.value(GREEN, ENABLED), limit_s=20, what="the stream stops")
    servers.drivers[BLUE].start(limit_s=20)


def write_late(servers: Pair) -> None:
    servers.run(
        BLUE,
        "INSERT INTO users (mail, age, bio, legacy, price) VALUES ('late', 70, 'b', 'y', 250)",
        user="app",
    )


def test_a_killed_source_does_not_stop_the_stream_for_good(servers: Pair, job: Job) -> None:
    before = servers.value(GREEN, LATE)
    kill_blue(servers)
    assert keeper(servers, None).look() == []
    assert keeper(servers, job).look() == ["bluegreen_forward"]
    write_late(servers)
    until(lambda: servers.value(GREEN, LATE) == before + 1, limit_s=20, what="the late row")
    assert keeper(servers, job).look() == []


def test_the_step_that_finds_it_stopped_starts_it(servers: Pair, job: Job) -> None:
    kill_blue(servers)
    done(ladder(servers.nodes)["catch_up"], job)
    assert servers.value(GREEN, ENABLED)


def test_a_row_that_cannot_be_applied_is_a_persons_matter(servers: Pair, job: Job) -> None:
    servers.run(GREEN, "INSERT INTO events (id, n) VALUES (70001, 1)")
    servers.run(BLUE, "INSERT INTO events (id, code, n) VALUES (70001, 'c', 1)", user="app")
    until(lambda: not servers.value(GREEN, ENABLED), limit_s=20, what="the stream stops")
    assert keeper(servers, job).look() == []
    with pytest.raises(Refused, match="events"):
        finished(lambda: ladder(servers.nodes)["catch_up"].do(job))
    servers.run(BLUE, "DELETE FROM events WHERE id = 70001", user="app")


def test_an_attempt_that_is_open_starts_and_stops_streams_itself(servers: Pair, job: Job) -> None:
    number = 1 + int(
        servers.value(GREEN, "SELECT coalesce(max(attempt), 0) FROM bluegreen.attempt")
    )
    servers.run(GREEN, OPEN % (number, job.id))
    kill_blue(servers)
    assert keeper(servers, job).look() == []
    servers.run(GREEN, f"SELECT bluegreen.burn({number})")
    assert keeper(servers, job).look() == ["bluegreen_forward"]
