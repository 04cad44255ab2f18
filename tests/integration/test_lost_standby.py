"""Where no standby stands, create_green makes one and forks it: nothing is lost or left behind."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest

from shared.domain.errors import Broken
from shared.domain.migration import Job
from shared.domain.objects import STANDBY_SLOTS
from tests.support.ladder import climb, descend, ladder, left_over
from tests.support.pair import Pair, pair
from tests.support.sides import BLUE, GREEN
from tests.support.wait import until

FILE = "ALTER TABLE t RENAME COLUMN a TO b"


@pytest.fixture
def servers() -> Iterator[Pair]:
    with pair(15) as made:
        made.run(BLUE, "GRANT ALL ON SCHEMA public TO app")
        made.run(BLUE, "CREATE TABLE t (id int PRIMARY KEY, a int)", user="app")
        yield made


def lose_its_disk(servers: Pair) -> None:
    for path in servers.drivers[GREEN].data.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def lose_its_slot(servers: Pair) -> None:
    """Its walsender notices a moment later that nobody reads any more."""
    slot = STANDBY_SLOTS["green"]
    is_free = f"SELECT NOT active FROM pg_replication_slots WHERE slot_name = '{slot}'"
    until(lambda: servers.value(BLUE, is_free), limit_s=20, what="nobody holds the slot")
    servers.run(BLUE, f"SELECT pg_drop_replication_slot('{slot}')")


@pytest.mark.parametrize("lose", [lose_its_disk, lose_its_slot])
def test_a_lost_standby_is_copied_and_forked(servers: Pair, lose: Callable[[Pair], None]) -> None:
    job: Job = servers.rehearsed(FILE)
    servers.drivers[GREEN].stop(limit_s=20)
    lose(servers)
    servers.run(BLUE, "INSERT INTO t VALUES (1, 1)", user="app")
    climb(servers, job)
    servers.run(BLUE, "INSERT INTO t VALUES (2, 2)", user="app")
    assert not servers.value(GREEN, "SELECT pg_is_in_recovery()")
    descend(servers, job)
    assert left_over(servers) == []
    assert servers.value(GREEN, "SELECT count(*) FROM t") == 2


def test_a_writable_server_in_its_place_is_not_touched(servers: Pair) -> None:
    job = servers.rehearsed(FILE)
    lose_its_own_upstream = "SELECT pg_promote()"
    servers.run(GREEN, lose_its_own_upstream)
    climb(servers, job, before="create_green")
    with pytest.raises(Broken, match=r"somebody promoted it|found a writable server"):
        ladder(servers.nodes)["create_green"].do(job)
    servers.run(GREEN, "CREATE TABLE somebodys ()")
    assert servers.value(GREEN, "SELECT to_regclass('somebodys') IS NOT NULL")
