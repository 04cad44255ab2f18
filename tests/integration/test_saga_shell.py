"""The whole shell with toy steps: real Redis, real control database, real worker processes."""

from __future__ import annotations

import pytest

from shared.domain.kinds import Outcome, StepState
from tests.support.shell_stack import ShellStack, shell_stack


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with shell_stack(tmp_path_factory.mktemp("shell")) as stack:
        yield stack


@pytest.fixture
def stack(running: ShellStack):
    running.revive()
    running.sql("UPDATE bluegreen_control.job SET ended_at = now() WHERE ended_at IS NULL")
    running.sql("UPDATE bluegreen_control.job SET file_name = id")
    running.sql("UPDATE bluegreen_control.lease SET job = NULL")
    running.sql("DELETE FROM bluegreen_control.outbox")
    running.plan()
    return running


STEPS = ["look", "one", "two", "three", "four", "last", "after"]


def test_a_job_completes_through_all_its_agents(stack):
    job = stack.submit()
    assert stack.outcome(job) is Outcome.COMPLETED
    assert stack.deeds() == [f"do {step}" for step in STEPS]
    shown = {step.name: step.state for step in stack.store.steps(job)}
    assert shown.pop("hold_for_approval") is StepState.SKIPPED
    assert set(shown.values()) == {StepState.DONE}


def test_a_step_that_fails_is_undone_and_all_before_it_in_reverse(stack):
    stack.plan(three={"fail": "broken"})
    job = stack.submit()
    assert stack.outcome(job) is Outcome.ROLLED_BACK
    assert stack.standing() == []
    assert stack.deeds()[-4:] == ["undo three", "undo two", "undo one", "undo look"]
    assert stack.store.job(job).sentence == (
        "three failed (three was told to fail); everything is undone"
    )
