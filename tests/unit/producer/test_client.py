"""Following a job: it ends with the job, survives Redis, and never waits longer than allowed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from producer.client import OUTAGE_LIMIT_S, Client, View
from producer.exit_codes import ExitCode
from producer.output import Output
from producer.steering import steer
from shared.domain.environment import Colour
from shared.domain.errors import AnotherJob, Transient
from shared.domain.migration import Kind, Outcome, RunOptions, StepState
from shared.sql.catalog import Catalog
from tests.support.fakes import FakeBus, FakeClock, FakeControlStore, FakeDoorbell


@dataclass
class World:
    clock: FakeClock = field(default_factory=FakeClock)
    store: FakeControlStore = field(default_factory=FakeControlStore)
    doorbell: FakeDoorbell = field(default_factory=FakeDoorbell)
    shown: list[View] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bus = FakeBus(self.clock)
        self.client = Client(
            database="app", person="ci@host", store=self.store, bus=self.bus,
            doorbell=self.doorbell, active=lambda: Colour.BLUE,
            schema=lambda: (Catalog(), 18), now=self.clock.now,
            pause=self.clock.wait,
        )  # fmt: skip

    def submit(self, **options: object) -> str:
        return self.client.submit(
            kind=Kind.RISKY, file_name="002.sql", sql="DROP TABLE t", options=RunOptions(**options)
        )

    def follow(self, job: str, **how: object) -> ExitCode:
        return self.client.follow(job, self.shown.append, self.warned.append, **how)


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (Outcome.COMPLETED, 0),
        (Outcome.ROLLED_BACK, 1),
        (Outcome.REFUSED, 3),
        (Outcome.NEEDS_OPERATOR, 7),
    ],
)
def test_following_ends_with_the_outcome(world: World, outcome: Outcome, code: int) -> None:
    job = world.submit()
    world.clock.at(20, lambda: world.store.end(job, outcome))
    assert world.follow(job) == code
    assert 20 <= world.clock.seconds <= 22
    assert world.shown[-1].job.outcome is outcome


def test_a_job_that_was_asked_to_roll_back_and_did_is_done(world: World) -> None:
    job = world.submit()
    world.store.end(job, Outcome.ROLLED_BACK)
    assert world.follow(job, wanted=Outcome.ROLLED_BACK) is ExitCode.DONE


def test_following_stops_at_the_limit_and_leaves_the_job(world: World) -> None:
    job = world.submit()
    assert world.follow(job, wait_timeout_s=5) is ExitCode.STILL_RUNNING
    assert 5 <= world.clock.seconds < 5.5
    assert world.store.records[job].outcome is None


def test_a_hold_ends_following_when_the_job_waits_for_approval(world: World) -> None:
    job = world.submit(hold=True)
    world.clock.at(3, lambda: world.store.set_step(job, "hold_for_approval", StepState.RUNNING))
    assert world.follow(job) is ExitCode.WAITING_FOR_APPROVAL


def test_an_undo_of_the_wait_does_not_wait(world: World) -> None:
    job = world.submit(hold=True)
    world.store.set_step(job, "hold_for_approval", StepState.RUNNING)
    world.store.records[job] = replace(world.store.records[job], phase="backward")
    world.clock.at(3, lambda: world.store.end(job, Outcome.ROLLED_BACK))
    assert world.follow(job) is ExitCode.ROLLED_BACK


def test_after_an_approval_the_same_wait_does_not_end_following(world: World) -> None:
    job = world.submit(hold=True)
    world.store.set_step(job, "hold_for_approval", StepState.RUNNING)
    world.clock.at(3, lambda: world.store.end(job, Outcome.COMPLETED))
    assert world.follow(job, stop_for_approval=False) is ExitCode.DONE


def test_losing_redis_while_following_is_said_once_and_survived(world: World) -> None:
    job = world.submit()
    world.clock.at(2, lambda: setattr(world.bus, "is_down", True))
    world.clock.at(30, lambda: world.store.end(job, Outcome.COMPLETED))
    assert world.follow(job) is ExitCode.DONE
    assert len(world.warned) == 1
    assert "Redis refuses connections" in world.warned[0]


def test_a_short_outage_of_the_control_database_is_survived(world: World) -> None:
    job = world.submit()
    world.clock.at(2, lambda: setattr(world.store, "is_down", True))
    world.clock.at(20, lambda: setattr(world.store, "is_down", False))
    world.clock.at(25, lambda: world.store.end(job, Outcome.COMPLETED))
    assert world.follow(job) is ExitCode.DONE


def test_a_long_outage_of_the_control_database_ends_following(world: World) -> None:
    job = world.submit()
    world.clock.at(2, lambda: setattr(world.store, "is_down", True))
    with pytest.raises(Transient, match="control database"):
        world.follow(job)
    assert OUTAGE_LIMIT_S <= world.clock.seconds <= OUTAGE_LIMIT_S + 5


def test_nothing_is_written_while_redis_is_down(world: World) -> None:
    world.doorbell.is_down = True
    with pytest.raises(Transient, match="Redis"):
        world.submit()
    assert world.store.records == {}


def test_a_second_job_is_refused_with_the_id_of_the_live_one(world: World) -> None:
    job = world.submit()
    with pytest.raises(AnotherJob, match=job):
        world.submit()
    assert world.doorbell.rung == [job]


def test_a_request_wakes_the_coordinator(world: World) -> None:
    job = world.submit()
    world.client.request(job, "abort")
    assert world.store.requests == [(job, "abort", "ci@host")]
    assert world.doorbell.rung == [job, job]


def test_a_call_for_a_person_that_was_answered_is_no_end(world: World) -> None:
    job = world.submit()
    world.store.end(job, Outcome.NEEDS_OPERATOR)
    epoch = world.client.request(job, "rollback")
    world.clock.at(5, lambda: world.store.decide(job, Outcome.ROLLED_BACK))
    assert world.follow(job, wanted=Outcome.ROLLED_BACK, stuck_epoch=epoch) is ExitCode.DONE


def test_a_second_call_for_a_person_is_an_end(world: World) -> None:
    job = world.submit()
    world.store.end(job, Outcome.NEEDS_OPERATOR)
    epoch = world.client.request(job, "rollback")
    world.clock.at(5, lambda: world.store.decide(job, Outcome.NEEDS_OPERATOR))
    assert world.follow(job, stuck_epoch=epoch) is ExitCode.NEEDS_OPERATOR


def test_following_stops_where_a_job_rests_in_sync_and_not_on_its_first_way_there(
    world: World,
) -> None:
    job = world.submit()
    world.store.set_step(job, "hold_in_sync", StepState.RUNNING)
    assert world.follow(job, wait_timeout_s=5) is ExitCode.STILL_RUNNING
    world.store.set_step(job, "cutover", StepState.PENDING, started_at=datetime.now(UTC))
    assert world.follow(job) is ExitCode.WAITING_FOR_APPROVAL


def test_an_abort_of_a_job_that_waits_is_followed_to_its_end(world: World) -> None:
    """The coordinator has not read it yet when the following begins."""
    job = world.submit(hold=True)
    world.store.set_step(job, "hold_for_approval", StepState.RUNNING)
    world.clock.at(3, lambda: world.store.end(job, Outcome.ROLLED_BACK))
    code = steer(world.client, Output(True), [job], "abort", detach=False, limit_s=60)
    assert code is ExitCode.DONE


def test_a_rollback_that_keeps_the_sync_is_done_when_the_job_rests(world: World) -> None:
    job = world.submit()
    world.store.set_step(job, "cutover", StepState.DONE, started_at=datetime.now(UTC))
    world.clock.at(3, lambda: world.store.set_step(job, "hold_in_sync", StepState.RUNNING))
    code = steer(world.client, Output(True), [job], "keep-sync", detach=False, limit_s=60)
    assert code is ExitCode.DONE
