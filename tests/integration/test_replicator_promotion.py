"""A maintenance that is applied and must not stay: the standby that was held takes over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from shared.domain.environment import Colour
from shared.domain.errors import Broken
from shared.domain.kinds import Kind
from shared.domain.migration import Job
from shared.ports import Node, Pending, Session, Step
from tests.support.dying import Died, DyingNodes
from tests.support.fake_pool import CountingPool
from tests.support.ladder import left_over
from tests.support.pair import Pair, pair
from tests.support.servers import VERSIONS
from tests.support.sides import BLUE, GREEN, job_on
from tests.support.steps import done, finished, undone
from tests.support.told_alerts import ToldAlerts
from tests.support.wait import until
from workers.proxy_agent.steps.hold_traffic import HoldTraffic
from workers.replicator import replay
from workers.replicator.background import Background
from workers.replicator.batches import Batches
from workers.replicator.promotion import Promotion
from workers.replicator.steps.apply_on_active import ApplyOnActive
from workers.replicator.steps.pause_standby_replay import PauseStandbyReplay

SQL = "DELETE FROM t; DROP TABLE u;"
PLAN = [{"statements": (0,), "transaction": True}, {"statements": (1,), "transaction": True}]
FACTS = {"migration_type": "maintenance", "risk_level": "HIGH", "plan": PLAN}


@dataclass
class Maintenance:
    """The maintenance as far as its file was applied, with clients held."""

    servers: Pair
    job: Job
    pool: CountingPool

    def steps(self, nodes: Mapping[Colour, Node]) -> tuple[Step, HoldTraffic, Step]:
        promotion = Promotion(nodes, self.pool, self.pool)  # type: ignore[arg-type]
        pause = self.pool.short_pause()
        batches = Batches(nodes, self.pool)  # type: ignore[arg-type]
        apply = ApplyOnActive(nodes, Background(), pause, as_application, promotion, batches)
        now = partial(datetime.now, UTC)
        seen = Seen()
        hold = HoldTraffic(nodes, self.pool, seen, ToldAlerts(), now)  # type: ignore[arg-type]
        return PauseStandbyReplay(nodes), hold, apply


@dataclass
class Seen:
    """The Observations port, in memory."""

    bodies: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)

    def seen(self, job: str, key: str) -> Mapping[str, Any] | None:
        return self.bodies.get((job, key))

    def note(self, job: str, key: str, body: Mapping[str, Any]) -> None:
        self.bodies[job, key] = body


def as_application(session: Session, job: Job) -> str:
    return "app"


@pytest.fixture(params=VERSIONS)
def maintenance(request: pytest.FixtureRequest) -> Iterator[Maintenance]:
    with pair(request.param) as servers:
        servers.run(BLUE, "GRANT ALL ON SCHEMA public TO app")
        servers.run(BLUE, "CREATE TABLE t (id int); CREATE TABLE u ()", user="app")
        job = job_on(BLUE, sql=SQL, kind=Kind.MAINTENANCE, validate=FACTS)
        found = Maintenance(servers, job, CountingPool())
        pause, hold, apply = found.steps(servers.nodes)
        done(pause, job)
        servers.run(BLUE, "INSERT INTO t VALUES (1)", user="app")  # acknowledged while it is held
        done(hold, job)
        done(apply, job)
        yield found


def test_the_standby_serves_with_every_write_and_nothing_of_the_file(
    maintenance: Maintenance,
) -> None:
    servers, job = maintenance.servers, maintenance.job
    pause, hold, apply = maintenance.steps(servers.nodes)
    for _ in range(2):
        undone(apply, job)
    assert maintenance.pool.route is GREEN
    for _ in range(2):
        undone(hold, job)
    assert not maintenance.pool.paused
    servers.run(GREEN, "INSERT INTO t VALUES (2); TABLE u", user="app")
    assert servers.rows(BLUE, "SELECT name FROM bluegreen.fenced_role") == [("app",)]
    for _ in range(2):
        undone(pause, job)
    assert left_over(servers, active=GREEN) == []
    assert servers.rows(BLUE, "SELECT id FROM t ORDER BY id") == [(1,), (2,)]


@pytest.mark.parametrize("act", ["bluegreen.is_fenced", "set_recovery", '"armed"', "start"])
def test_a_worker_that_died_on_the_way_is_followed_by_one_that_arrives(
    maintenance: Maintenance, act: str
) -> None:
    servers, job = maintenance.servers, maintenance.job
    _, _, dying = maintenance.steps(DyingNodes(servers.nodes, act))
    with pytest.raises(Died):
        finished(lambda: dying.undo(job))
    pause, hold, apply = maintenance.steps(servers.nodes)
    undone(apply, job)
    assert servers.rows(GREEN, "SELECT id FROM t") == [(1,)]
    undone(hold, job)
    undone(pause, job)
    assert left_over(servers, active=GREEN) == []


def test_a_standby_that_replayed_the_file_is_no_way_back(maintenance: Maintenance) -> None:
    servers, job = maintenance.servers, maintenance.job
    _, _, apply = maintenance.steps(servers.nodes)
    replay.end_hold(servers.node(GREEN), servers.node(BLUE))
    until(
        lambda: not servers.value(GREEN, "SELECT count(*) FROM t"),
        limit_s=10, what="the standby replays the file",
    )  # fmt: skip
    with pytest.raises(Broken, match="no way back"):
        apply.undo(job)
    assert servers.is_standby(GREEN)


def test_what_was_written_since_the_file_is_never_given_up(maintenance: Maintenance) -> None:
    """As after --no-rollback: traffic was let go on with the file applied, then a rollback."""
    servers, job = maintenance.servers, maintenance.job
    _, hold, apply = maintenance.steps(servers.nodes)
    undone(hold, job)
    servers.run(BLUE, "INSERT INTO t VALUES (3)", user="app")
    for _ in range(2):  # a fence that was raised again later says nothing of the time between
        with pytest.raises(Broken, match="nothing was promoted"):
            apply.undo(job)
        servers.run(BLUE, "SELECT bluegreen.fence()")
    assert servers.is_standby(GREEN)
    assert servers.rows(BLUE, "SELECT id FROM t") == [(3,)]


def test_a_standby_that_is_down_is_a_way_back_too(maintenance: Maintenance) -> None:
    servers, job = maintenance.servers, maintenance.job
    pause, hold, apply = maintenance.steps(servers.nodes)
    servers.drivers[GREEN].stop(mode="immediate", limit_s=20)
    undone(apply, job)
    assert servers.rows(GREEN, "SELECT id FROM t") == [(1,)]
    undone(hold, job)
    undone(pause, job)
    assert left_over(servers, active=GREEN) == []


def test_a_standby_that_was_restarted_still_has_nothing_of_the_file(
    maintenance: Maintenance,
) -> None:
    servers, job = maintenance.servers, maintenance.job
    pause, hold, apply = maintenance.steps(servers.nodes)
    begins = servers.value(
        BLUE, "SELECT note ->> 'lsn' FROM bluegreen.applied WHERE part = 'before the file'"
    )
    for mode in ("immediate", "fast"):
        servers.drivers[GREEN].stop(mode=mode, limit_s=20)
        servers.drivers[GREEN].start(limit_s=20)
        assert servers.value(GREEN, "SELECT pg_is_in_recovery()")
        assert servers.value(GREEN, f"SELECT pg_last_wal_replay_lsn() <= '{begins}'::pg_lsn")
    undone(apply, job)
    assert servers.rows(GREEN, "SELECT id FROM t") == [(1,)]
    undone(hold, job)
    undone(pause, job)
    assert left_over(servers, active=GREEN) == []
    assert servers.value(GREEN, "SHOW recovery_min_apply_delay") == "0"


def test_the_old_side_is_rewound_not_copied(maintenance: Maintenance) -> None:
    servers, job = maintenance.servers, maintenance.job
    pause, hold, apply = maintenance.steps(servers.nodes)
    undone(apply, job)
    undone(hold, job)
    first = pause.undo(job)
    assert isinstance(first, Pending)
    assert first.sentence.startswith("rewind of blue")
    undone(pause, job)
    assert left_over(servers, active=GREEN) == []
