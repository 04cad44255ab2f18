"""The end of a risky job: nothing of it is left, and the roles are swapped."""

import threading
import time
from collections.abc import Iterator

import pytest

from shared.domain.errors import Broken
from shared.domain.migration import Job
from shared.ports import Pending
from tests.support.fake_pool import CountingPool
from tests.support.ladder import climb, ladder, left_over
from tests.support.pair import Pair, pair
from tests.support.servers import VERSIONS
from tests.support.shapes import FILE, SCHEMA
from tests.support.sides import BLUE, GREEN
from tests.support.steps import done, undone
from tests.support.switching import switch
from tests.support.wait import until
from workers.replicator.steps.finish import Finish
from workers.replicator.steps.restore_standby import RestoreStandby

ROWS = "INSERT INTO users (mail, legacy, price) SELECT g, 'x', g FROM generate_series(1, 500) AS g"


@pytest.fixture(params=VERSIONS)
def servers(request: pytest.FixtureRequest) -> Iterator[Pair]:
    with pair(request.param) as made:
        made.run(BLUE, "GRANT ALL ON SCHEMA public TO app")
        made.run(BLUE, SCHEMA + ROWS, user="app")
        yield made


def switched(servers: Pair) -> Job:
    job = servers.rehearsed(FILE)
    climb(servers, job)
    switch(servers)
    return job


def test_finish_and_restore_leave_the_resting_state_with_the_roles_swapped(servers: Pair) -> None:
    job, pool = switched(servers), CountingPool(busy=1)
    finish = Finish(servers.nodes, pool.short_pause())
    restore = RestoreStandby(servers.nodes)
    undone(finish, job)  # nothing was removed yet
    assert not finish.is_done(job)
    assert isinstance(finish.do(job), Pending)  # the pool was busy: nobody is held, tried again
    done(finish, job)
    assert (pool.pauses, pool.paused) == (1, False)
    assert pool.told[-1] == {"resume_after_s": None}
    assert pool.width() == 40, "as wide as before"
    done(finish, job)
    with pytest.raises(Broken, match="way back"):
        finish.undo(job)

    servers.run(GREEN, "INSERT INTO users (email, tier, score) VALUES ('late', 't', 1)", user="app")
    assert not restore.is_done(job)
    done(restore, job)
    done(restore, job)
    assert left_over(servers, active=GREEN) == []
    assert servers.value(BLUE, "SELECT count(*) FROM users WHERE email = 'late'") == 1

    back = servers.rehearsed("ALTER TABLE users RENAME COLUMN email TO mail", GREEN)
    climb(servers, back)
    assert servers.value(BLUE, "SELECT count(*) FROM users WHERE email = 'late'") == 1
    for step in reversed(ladder(servers.nodes).values()):
        undone(step, back)
    assert left_over(servers, active=GREEN) == []


def test_a_reader_of_a_table_holds_up_finish_but_finish_holds_up_nobody(servers: Pair) -> None:
    job = switched(servers)
    finish = Finish(servers.nodes, CountingPool().short_pause())
    waits: list[float] = []
    stop = threading.Event()

    def read() -> None:
        with servers.connect(GREEN, "app") as connection:
            while not stop.is_set():
                began = time.monotonic()
                connection.execute("SELECT count(*) FROM users")
                waits.append(time.monotonic() - began)

    reader = threading.Thread(target=read)
    with servers.connect(GREEN, "app") as holder:
        with holder.transaction():
            holder.execute("SELECT 1 FROM users")
            reader.start()
            answers = [finish.do(job) for _ in range(3)]
            assert all(isinstance(answer, Pending) for answer in answers)
        done(finish, job)
    stop.set()
    reader.join()
    assert max(waits) < 1.0  # the lock limit is 0.1 s; the rest is room for a busy host


def test_a_base_backup_is_made_where_a_rewind_fails(servers: Pair) -> None:
    job = switched(servers)
    done(Finish(servers.nodes, CountingPool().short_pause()), job)
    restore = RestoreStandby(servers.nodes)
    driver = servers.drivers[BLUE]
    driver.set_access("closed")
    driver.stop(limit_s=20)
    driver.start_deed(f"rewind-{job.id}", "pg_rewind", ["--source-server", "host=/nowhere"])
    until(
        lambda: driver.look_at_deed(f"rewind-{job.id}").state == "failed",
        limit_s=10, what="the rewind fails",
    )  # fmt: skip
    done(restore, job)
    assert left_over(servers, active=GREEN) == []


def test_the_side_that_serves_is_never_given_up(servers: Pair) -> None:
    job = switched(servers)
    with pytest.raises(Broken, match="fenced"):
        ladder(servers.nodes)["create_green"].undo(job)
    servers.run(BLUE, "SELECT bluegreen.lift()")
    servers.run(GREEN, "SELECT bluegreen.fence()")
    with pytest.raises(Broken, match="fenced"):
        RestoreStandby(servers.nodes).do(job)
    with pytest.raises(Broken, match="fenced"):
        Finish(servers.nodes, CountingPool().short_pause()).do(job)
