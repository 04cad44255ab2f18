"""A slot that lost its WAL ends the job where green still has to follow: nobody waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from shared.domain.errors import Refused
from shared.domain.migration import Job
from shared.ports import Pending, Step
from shared.runner import forward
from tests.support.ladder import climb, ladder
from tests.support.pair import Pair
from tests.support.sides import BLUE, GREEN
from tests.support.steps import done
from tests.support.wait import until

WHY = "keep the WAL that green follows, found it removed: .* max_slot_wal_keep_size"
STATUS = "SELECT wal_status FROM pg_replication_slots WHERE slot_name = 'bluegreen_forward'"
SEGMENTS = 4


def lose_wal(servers: Pair) -> None:
    """What a busy hour does to a slot that nobody reads."""
    with servers.connect(BLUE) as blue:
        blue.execute("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'")
        blue.execute("SELECT pg_reload_conf()")
        try:
            for _ in range(SEGMENTS):
                blue.execute("SELECT pg_logical_emit_message(false, 'test', 'x')")
                blue.execute("SELECT pg_switch_wal()")
            until(lambda: is_lost(servers), limit_s=30, what="the slot has lost its WAL")
        finally:
            blue.execute("ALTER SYSTEM RESET max_slot_wal_keep_size")
            blue.execute("SELECT pg_reload_conf()")


def is_lost(servers: Pair) -> bool:
    servers.run(BLUE, "CHECKPOINT")
    return servers.value(BLUE, STATUS) == "lost"


@contextmanager
def file_that_waits(servers: Pair) -> Iterator[None]:
    """A lock on green that the file asks for, too."""
    with servers.connect(GREEN) as green, green.transaction():
        green.execute("LOCK TABLE users")
        yield


def test_before_green_subscribes(servers: Pair, job: Job) -> None:
    climb(servers, job, before="subscribe")
    lose_wal(servers)
    with pytest.raises(Refused, match=WHY) as refused:
        ladder(servers.nodes)["subscribe"].do(job)
    assert "max_slot_wal_keep_size" in refused.value.remedy


def test_while_the_file_runs(servers: Pair, job: Job) -> None:
    """Green would get its schema for nothing, however long that takes."""
    climb(servers, job, before="apply_migration")
    step = ladder(servers.nodes)["apply_migration"]
    with file_that_waits(servers):
        assert isinstance(step.do(job), Pending)
        lose_wal(servers)
        with pytest.raises(Refused, match=WHY):
            step.do(job)


def test_a_source_that_is_killed_while_the_file_runs_ends_nothing(servers: Pair, job: Job) -> None:
    """The step begins only once: an error here would take the whole job back."""
    climb(servers, job, before="apply_migration")
    step = ladder(servers.nodes)["apply_migration"]
    with file_that_waits(servers):
        assert isinstance(step.do(job), Pending)
        servers.drivers[BLUE].stop(mode="immediate", limit_s=20)
        assert isinstance(step.do(job), Pending)
        servers.drivers[BLUE].start(limit_s=20)
    done(step, job)


def test_nor_does_one_that_is_away_when_the_file_has_run(servers: Pair, job: Job) -> None:
    """What is made on the source afterwards waits for it."""
    climb(servers, job, before="apply_migration")
    step = ladder(servers.nodes)["apply_migration"]
    with file_that_waits(servers):
        assert isinstance(step.do(job), Pending)
        servers.drivers[BLUE].stop(mode="immediate", limit_s=20)
    until(lambda: waits_for_source(step, job), limit_s=30, what="the file has run")
    servers.drivers[BLUE].start(limit_s=20)
    done(step, job)


def waits_for_source(step: Step, job: Job) -> bool:
    answer = forward(step, job)
    assert isinstance(answer, Pending)
    return "is applied on green; waits for blue" in answer.sentence


def test_while_green_catches_up(servers: Pair, job: Job) -> None:
    climb(servers, job)
    servers.run(GREEN, "ALTER SUBSCRIPTION bluegreen_forward DISABLE")
    lose_wal(servers)
    servers.run(GREEN, "ALTER SUBSCRIPTION bluegreen_forward ENABLE")
    with pytest.raises(Refused, match=WHY):
        done(ladder(servers.nodes)["catch_up"], job)
