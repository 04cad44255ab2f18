"""The step `cutover` by the runner's law: do, do again, undo, undo again, undo without do."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.environment import Colour
from shared.domain.errors import Broken, Refused
from shared.domain.facts import Cutover as CutoverFacts
from shared.domain.messages import CutoverDone
from shared.domain.migration import Job
from shared.ports import Pending
from shared.runner import forward
from tests.support.cutover_step import Heard, Kept, cutover_job, cutover_step
from tests.support.cutover_world import World, cutover_world, restore_streams
from tests.support.steps import done, undone
from tests.support.wait import until
from tests.support.writers import Writers
from workers.proxy_agent.attempt import Way
from workers.proxy_agent.steps.cutover import Cutover

NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with cutover_world(15) as world:
        yield world


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def heard() -> Heard:
    return Heard()


def test_done_twice_and_undone_twice_traffic_is_where_it_began(
    world: World, kept: Kept, heard: Heard
) -> None:
    step, job = cutover_step(world, kept, heard), cutover_job(next(NUMBERS))
    assert not step.is_done(job)
    with Writers(world.application_dsn, count=4) as writers:
        answer = done(step, job)
        assert "green serves" in answer.sentence
        assert CutoverFacts.model_validate(answer.facts).direction == "blue->green"
        assert done(step, job).facts["direction"] == "blue->green"
        assert step.is_done(job)
        writers.until_acknowledged(20)
        undone(step, job)
        assert not step.is_done(job)
        undone(step, job)
        writers.until_acknowledged(20)
    assert writers.failed == []
    mine = {row for row in world.journal(Colour.BLUE) if row[1] < 100_000}
    assert writers.acknowledged == mine
    assert [record.direction for record in kept.records] == ["blue->green", "green->blue"]
    for record in kept.records:
        assert record.failed_transactions == 0
        assert len(record.samples) > 500
        assert record.baseline_p50_ms is not None
        assert record.longest_ms is not None
        assert record.baseline_p50_ms < record.longest_ms
        assert record.window_ms > 0
    assert [type(event) for event in heard.events] == [CutoverDone, CutoverDone]
    restore_streams(world)


def test_kept_in_sync_it_can_be_done_again(world: World, kept: Kept, heard: Heard) -> None:
    step, job = cutover_step(world, kept, heard), cutover_job(next(NUMBERS))
    with Writers(world.application_dsn, count=4, first=100_000) as writers:
        for _ in range(2):
            done(step, job)
            writers.until_acknowledged(20)
            for _ in range(2):
                undone(step, job.model_copy(update={"keeps_sync": True}))
            assert not step.is_done(job)
            writers.until_acknowledged(20)
        done(step, job)
        undone(step, job)
        with pytest.raises(Broken, match="went back to blue"):
            step.do(job)
    assert writers.failed == []
    assert writers.acknowledged <= world.journal(Colour.BLUE)
    assert [record.direction for record in kept.records] == ["blue->green", "green->blue"] * 3
    restore_streams(world)


def test_a_way_back_that_gave_up_half_way_is_begun_again(
    world: World, kept: Kept, heard: Heard
) -> None:
    """What the given-up attempt led from is the target, which serves: nothing is undone yet."""
    step, job = cutover_step(world, kept, heard), cutover_job(next(NUMBERS))
    done(step, job)
    with world.admin(Colour.BLUE) as holder:
        holder.execute("BEGIN")
        holder.execute("LOCK TABLE account IN ROW SHARE MODE")
        until(lambda: gave_up_half_way(step, job), limit_s=40, what="a way back that gave up")
        holder.execute("ROLLBACK")
    undone(step, job)
    assert world.value(Colour.GREEN, "SELECT bluegreen.is_fenced()") is True
    assert world.value(Colour.BLUE, "SELECT bluegreen.is_fenced()") is False
    assert [record.direction for record in kept.records] == ["blue->green", "green->blue"]
    restore_streams(world)


def gave_up_half_way(step: Cutover, job: Job) -> bool:
    """On a busy host a try may give up before its attempt is opened."""
    assert isinstance(step.undo(job), Pending)
    found = step.recovery.look()
    return found is not None and found.attempt.way is Way.BACK


def test_a_way_back_that_has_stopped_is_no_way_and_the_target_goes_on(
    world: World, kept: Kept, heard: Heard
) -> None:
    step, job = cutover_step(world, kept, heard), cutover_job(next(NUMBERS))
    done(step, job)
    with world.admin(Colour.BLUE) as blue:
        blue.execute("ALTER SUBSCRIPTION bluegreen_reverse DISABLE")
        with (
            Writers(world.application_dsn, count=2, first=200_000) as writers,
            pytest.raises(Refused, match="writes on green would be lost"),
        ):
            undone(step, job)
        blue.execute("ALTER SUBSCRIPTION bluegreen_reverse ENABLE")
    assert step.is_done(job)
    assert writers.failed == []
    undone(step, job)
    assert writers.acknowledged <= world.journal(Colour.BLUE)
    restore_streams(world)


def test_undone_without_having_been_done_it_changes_nothing(
    world: World, kept: Kept, heard: Heard
) -> None:
    step, job = cutover_step(world, kept, heard), cutover_job(next(NUMBERS))
    assert "no cutover" in undone(step, job).sentence
    assert kept.records == []


def test_without_equal_rows_there_is_no_cutover(world: World, kept: Kept, heard: Heard) -> None:
    step = cutover_step(world, kept, heard)
    with pytest.raises(Refused, match="3 different"):
        forward(step, cutover_job(next(NUMBERS), rows_different=3))


def test_a_verdict_of_yesterday_is_no_verdict(world: World, kept: Kept, heard: Heard) -> None:
    step = cutover_step(world, kept, heard)
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    with pytest.raises(Refused, match="younger"):
        forward(step, cutover_job(next(NUMBERS), at=yesterday))


def test_the_switch_delay_is_counted_from_the_verdict(
    world: World, kept: Kept, heard: Heard
) -> None:
    step = cutover_step(world, kept, heard)
    answer = forward(step, cutover_job(next(NUMBERS), switch_delay_s=60))
    assert isinstance(answer, Pending)
    assert "switching in" in answer.sentence


def test_what_was_held_switches_only_while_its_approval_counts(
    world: World, kept: Kept, heard: Heard
) -> None:
    """Withdrawn or run out, `approve` is not among the requests (tests/unit/test_approval.py)."""
    step = cutover_step(world, kept, heard)
    answer = forward(step, cutover_job(next(NUMBERS), hold=True))
    assert isinstance(answer, Pending)
    assert "bluegreen approve" in answer.sentence
    assert kept.records == []
