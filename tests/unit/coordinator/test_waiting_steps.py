"""The coordinator's own steps: they wait for a person, and for the clock."""

from __future__ import annotations

from datetime import UTC, datetime

from shared.domain.environment import Colour
from shared.domain.kinds import Kind
from shared.domain.migration import Job, RunOptions
from shared.ports import Done, Pending
from tests.support.told_alerts import ToldAlerts
from workers.coordinator.steps.hold_for_approval import HoldForApproval
from workers.coordinator.steps.wait_for_window import LONGEST_LOOK_S, WaitForWindow

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def job(*requests: str, **options: object) -> Job:
    return Job(
        id="j", database="app", kind=Kind.RISKY, file_name="f.sql", sql="",
        options=RunOptions.model_validate(options), source=Colour.BLUE, epoch=1, attempt=1,
        requests=frozenset(requests),
    )  # fmt: skip


def test_it_is_held_until_a_person_approves():
    step = HoldForApproval()
    held = step.do(job())
    assert isinstance(held, Pending)
    assert "bluegreen approve j" in held.sentence
    assert step.do(job("approve")) == Done("approved")
    assert not step.is_done(job("finish"))
    assert isinstance(step.undo(job()), Done)


def test_it_waits_for_the_window_and_looks_again_in_time():
    step = WaitForWindow(clock=lambda: NOON, alerts=ToldAlerts())
    waits = step.do(job(window="12:00-13:00", at="2026-11-23T12:00:10"))
    assert isinstance(waits, Pending)
    assert waits.look_again_s == 10
    assert "2026-11-23 12:00:10 UTC" in waits.sentence
    night = step.do(job(window="22:00-06:00"))
    assert isinstance(night, Pending)
    assert night.look_again_s == LONGEST_LOOK_S


def test_inside_the_window_it_goes_on():
    step = WaitForWindow(clock=lambda: NOON, alerts=ToldAlerts())
    assert step.is_done(job(window="11:00-13:00"))
    assert isinstance(step.do(job(window="11:00-13:00")), Done)
    assert isinstance(step.undo(job()), Done)
