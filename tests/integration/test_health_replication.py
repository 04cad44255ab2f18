"""The standby: behind, further and further behind, cut off, or open beside the active side."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.domain.kinds import Kind
from shared.saga.recipes import MAINTENANCE
from tests.support.disturbances import paused_standby
from tests.support.stack import Stack, running_stack
from tests.support.watched import RAISED, Watching, watching

WRITE = "INSERT INTO written SELECT repeat('x', 1000) FROM generate_series(1, 3000)"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_stack() as stack:
        yield stack


def test_a_standby_that_lags_is_told(watch: Watching, stack: Stack) -> None:
    watched = watch(limits={"lag_bytes": 1 << 20})
    watched.is_well("replication.lag")
    with paused_standby(stack) as blue:
        blue.execute(WRITE)
        watched.raises("replication.lag")
    watched.clears("replication.lag")


def test_a_standby_that_is_seconds_behind_is_told_though_it_lacks_little(
    watch: Watching, stack: Stack
) -> None:
    watched = watch(limits={"lag_s": 2})
    watched.is_well("replication.lag")
    with paused_standby(stack) as blue:

        def more() -> bool:
            blue.execute("INSERT INTO written VALUES ('x')")
            return watched.stream.types("replication.lag") == [RAISED]

        watched.looks_until(more, between_s=0.2)
        assert (watched.last["replication.lag"].value or 0) < 1 << 20
    watched.clears("replication.lag", between_s=0.2)


def test_a_lag_that_grows_is_told_before_it_is_too_much(watch: Watching, stack: Stack) -> None:
    watched = watch(limits={"lag_grows_s": 2})
    watched.is_well("replication.trend")
    with paused_standby(stack) as blue:

        def more() -> bool:
            blue.execute(WRITE)
            return watched.stream.types("replication.trend") == [RAISED]

        watched.looks_until(more)
        assert watched.last["replication.lag"].healthy
    watched.clears("replication.trend")


def test_a_standby_that_does_not_stream_is_told(watch: Watching, stack: Stack) -> None:
    """It runs and cannot reach the active side: its replication role may not log in."""
    watched = watch()
    watched.is_well("standby.streaming")
    with stack.connect("blue") as blue:
        blue.execute("ALTER ROLE bg_repl_blue NOLOGIN")
        try:
            blue.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_replication")
            watched.raises("standby.streaming")
        finally:
            blue.execute("ALTER ROLE bg_repl_blue LOGIN")
    watched.clears("standby.streaming")


def test_a_standby_that_a_maintenance_holds_is_not_told_of_at_any_of_its_steps(
    watch: Watching, stack: Stack
) -> None:
    watched = watch(limits={"lag_bytes": 1 << 20})
    names = [step.name for step in MAINTENANCE]
    held = names[names.index("pause_standby_replay") :]
    with watched.live_job(Kind.MAINTENANCE, held[0]) as job:
        with paused_standby(stack) as blue:
            blue.execute(WRITE)
            for step in held:
                watched.stand_at(job, step)
                for _ in range(4):
                    watched.look()
                assert not watched.last["replication.lag"].healthy, step
                assert watched.stream.types("replication.lag") == [], step
            watched.stand_at(job, "validate")
            watched.raises("replication.lag")
        watched.clears("replication.lag")


def test_two_writable_sides_are_told_until_one_is_fenced(tmp_path: Path) -> None:
    """Green stops following and is open: both would take writes."""
    with running_stack() as stack, watching(stack, tmp_path) as watched:
        watched.is_well("sides.one_writable")
        with stack.connect("green") as green:
            green.execute("SELECT pg_promote()")
            watched.raises("sides.one_writable")
            green.execute("SELECT bluegreen.fence()")
        watched.clears("sides.one_writable")
