"""A server that is to be stopped writes its buffers at a pace, and keeps no setting for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.ladder import climb, descend
from tests.support.pair import Pair, pair
from tests.support.sides import BLUE, GREEN
from tests.support.wait import until
from workers.replicator.calm_stop import SPREAD_OVER_S, write_out

FILLED = "CREATE TABLE t AS SELECT n, repeat('x', 500) AS x FROM generate_series(1, 20000) AS n"
SPENT = "SELECT sum(checkpoint_write_time) FROM pg_stat_bgwriter"
OWN_SETTINGS = """
SELECT count(*) FROM pg_file_settings
WHERE name = 'checkpoint_completion_target' AND sourcefile LIKE '%auto.conf'
"""
ROLE = "bg_replicator"


@pytest.fixture(scope="module")
def servers() -> Iterator[Pair]:
    with pair(15) as made:
        yield made


def left_of_it(servers: Pair) -> int:
    return int(str(servers.value(BLUE, OWN_SETTINGS)))


def spent_ms(servers: Pair) -> float:
    """On writing, in all checkpoints so far: reported behind the end of each, a moment after
    whoever asked for it was let go on."""
    return float(str(servers.value(BLUE, SPENT)))


def test_the_writes_are_spread_over_seconds_and_the_pace_is_taken_back(servers: Pair) -> None:
    servers.run(BLUE, "CHECKPOINT")
    servers.run(BLUE, "DROP TABLE IF EXISTS t")
    servers.run(BLUE, FILLED)
    before = spent_ms(servers)
    write_out(servers.nodes[BLUE])
    until(
        lambda: spent_ms(servers) - before > SPREAD_OVER_S * 1000 / 2,
        limit_s=10, what="the checkpointer reports that it wrote over seconds",
    )  # fmt: skip
    assert left_of_it(servers) == 0


def test_a_standby_and_a_stopped_server_are_left_alone(servers: Pair) -> None:
    write_out(servers.nodes[GREEN])
    assert servers.value(GREEN, "SELECT pg_is_in_recovery()")
    servers.drivers[GREEN].stop(limit_s=20)
    write_out(servers.nodes[GREEN])
    assert not servers.drivers[GREEN].is_running()
    servers.drivers[GREEN].start(limit_s=20)


def test_where_it_is_not_allowed_the_stop_is_as_it_was(servers: Pair) -> None:
    servers.run(BLUE, f"ALTER ROLE {ROLE} NOSUPERUSER")
    try:
        write_out(servers.nodes[BLUE])
    finally:
        servers.run(BLUE, f"ALTER ROLE {ROLE} SUPERUSER")
    assert left_of_it(servers) == 0


def test_a_side_that_is_given_up_is_stopped_like_that() -> None:
    """Green, whose job is taken back: its log tells of a checkpoint that took its time."""
    with pair(15) as servers:
        servers.run(BLUE, "GRANT ALL ON SCHEMA public TO app")
        servers.run(BLUE, "CREATE TABLE t (id int PRIMARY KEY, a int)", user="app")
        job = servers.rehearsed("ALTER TABLE t RENAME COLUMN a TO b")
        climb(servers, job)
        assert not calm_checkpoints(servers)
        descend(servers, job)
        assert calm_checkpoints(servers)


def calm_checkpoints(servers: Pair) -> int:
    logs = servers.drivers[GREEN].root.glob("logs/*.log")
    told = "".join(path.read_text(encoding="utf-8", errors="replace") for path in logs)
    return told.count("checkpoint starting: force wait")
