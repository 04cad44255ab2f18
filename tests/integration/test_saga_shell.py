"""The whole shell with toy steps: real Redis, real control database, real worker processes."""

from __future__ import annotations

import time

import pytest
from celery.events.state import State

from shared.adapters.queue import redis_bus
from shared.adapters.queue.celery_client import MOST_WAITING, AgentPing, ping_agents
from shared.domain.kinds import Outcome, StepState
from shared.domain.messages import Event, JobAccepted, JobEnded, StepDone, StepProgress
from shared.ports import Steering
from tests.support.flower_view import flower_view
from tests.support.shell_stack import ShellStack, shell_stack
from tests.support.wait import until
from workers.coordinator.decide import SWEEP_S
from workers.coordinator.steps.hold_for_approval import LOOK_AGAIN_S

STEPS = ["look", "one", "two", "three", "four", "last", "after"]


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with shell_stack(tmp_path_factory.mktemp("shell")) as stack:
        yield stack


@pytest.fixture
def stack(running: ShellStack):
    running.clear()
    return running


def test_a_job_completes_through_all_its_agents(stack):
    job = stack.submit()
    assert stack.outcome(job) is Outcome.COMPLETED
    assert stack.deeds() == [f"do {step}" for step in STEPS]
    shown = {step.name: step.state for step in stack.store.steps(job)}
    assert shown.pop("hold_for_approval") is StepState.SKIPPED
    assert set(shown.values()) == {StepState.DONE}
    assert stack.store.jobs(live_only=True) == []


def test_no_hop_waits_for_the_sweep(stack):
    """Seven steps by the sweep alone take over seven seconds; the best of three, for busy hosts."""
    seconds = []
    for _ in range(3):
        stack.clear()
        began = time.monotonic()
        assert stack.outcome(stack.submit()) is Outcome.COMPLETED
        seconds.append(time.monotonic() - began)
    assert min(seconds) < len(STEPS) * SWEEP_S / 2


def test_a_step_that_fails_is_undone_and_all_before_it_in_reverse(stack):
    stack.plan(three={"fail": "broken"})
    job = stack.submit()
    assert stack.outcome(job) is Outcome.ROLLED_BACK
    assert stack.standing() == []
    assert stack.deeds()[-4:] == ["undo three", "undo two", "undo one", "undo look"]
    assert stack.store.job(job).sentence == (
        "three failed (three was told to fail); everything is undone"
    )
    shown = {step.name: step.state for step in stack.store.steps(job)}
    assert shown["three"] is StepState.FAILED
    assert shown["one"] is StepState.UNDONE
    assert shown["four"] is StepState.PENDING


def test_a_transient_failure_is_tried_again_until_the_attempts_are_used_up(stack):
    stack.plan(two={"fail": "transient"})
    assert stack.outcome(stack.submit()) is Outcome.ROLLED_BACK
    assert stack.deeds().count("do two") == 2


def test_a_server_that_comes_back_late_is_waited_for_and_takes_no_attempt(stack):
    stack.plan(two={"fail": "away", "fail_times": 4})
    job = stack.submit()
    assert stack.outcome(job) is Outcome.COMPLETED
    assert stack.deeds().count("do two") == 5


def test_what_a_look_refuses_ends_refused_with_the_remedy_and_nothing_undone(stack):
    stack.plan(look={"fail": "refused"})
    job = stack.submit()
    assert stack.outcome(job) is Outcome.REFUSED
    assert stack.deeds() == ["do look"]
    assert stack.store.job(job).remedy == "tell it otherwise"


def test_no_rollback_keeps_what_was_done_until_a_person_decides(stack):
    stack.plan(two={"fail": "broken"})
    job = stack.submit(no_rollback=True)
    assert stack.outcome(job) is Outcome.NEEDS_OPERATOR
    assert stack.standing() == ["look", "one"]
    assert f"bluegreen rollback {job}" in stack.store.job(job).remedy
    stack.ask(job, "rollback")
    stack.ends(job, Outcome.ROLLED_BACK)
    assert stack.standing() == []


def test_past_the_pivot_it_is_tried_again_and_then_a_person_resumes_it(stack):
    stack.plan(after={"fail": "broken"})
    job = stack.submit()
    assert stack.outcome(job) is Outcome.NEEDS_OPERATOR
    assert stack.deeds().count("do after") == 3
    assert not any(deed.startswith("undo") for deed in stack.deeds())
    stack.tell("after")
    stack.ask(job, "resume")
    stack.ends(job, Outcome.COMPLETED)


def test_a_step_that_waits_for_approval_goes_on_at_once_when_it_is_given(stack):
    job = ended_at_once(stack, "approve")
    assert stack.outcome(job) is Outcome.COMPLETED


def test_a_step_that_waits_is_left_at_once_when_an_abort_is_asked(stack):
    job = ended_at_once(stack, "abort")
    assert stack.outcome(job) is Outcome.ROLLED_BACK
    assert "aborted by bob" in stack.store.job(job).sentence


def ended_at_once(stack: ShellStack, what: Steering) -> str:
    """A job that was held, and ended before its next look; one of three tries, for busy hosts."""
    seconds = []
    for _ in range(3):
        stack.clear()
        job = stack.submit(hold=True)
        stack.reached(job, "hold_for_approval")
        began = time.monotonic()
        stack.ask(job, what)
        stack.outcome(job)
        seconds.append(time.monotonic() - began)
        if seconds[-1] < LOOK_AGAIN_S - SWEEP_S:
            return job
    raise AssertionError(f"expected an end at once, found {seconds}")


def test_an_abort_is_honoured_at_the_next_answer_of_a_step_that_is_pending(stack):
    stack.plan(two={"looks": 10_000})
    job = stack.submit()
    stack.begun("do two")
    stack.ask(job, "abort")
    assert stack.outcome(job) is Outcome.ROLLED_BACK
    assert stack.standing() == []


def test_a_pending_step_shows_its_progress_and_every_event_reaches_the_stream(stack):
    bus = redis_bus.RedisBus(stack.settings)
    before = bus.newest()
    stack.plan(two={"looks": 3})
    job = stack.submit()
    assert stack.outcome(job) is Outcome.COMPLETED
    events = heard(bus, before, count=len(STEPS))
    bus.close()
    assert [event.sentence for event in events if isinstance(event, StepProgress)] == [
        "look 1", "look 2", "look 3",
    ]  # fmt: skip
    assert sorted(event.step for event in events if isinstance(event, StepDone)) == sorted(STEPS)
    assert isinstance(events[0], JobAccepted)
    assert len([event for event in events if isinstance(event, JobEnded)]) == 1


def heard(bus: redis_bus.RedisBus, after: str, *, count: int) -> list[Event]:
    """All that was told of a job, up to the news of its end and of that many steps that are done:
    events come behind what they tell, and those of several agents in any order."""
    events: list[Event] = []

    def is_whole() -> bool:
        events[:] = [event for _, event in bus.read(after, block_ms=10)]
        done = [event for event in events if isinstance(event, StepDone)]
        return len(done) >= count and any(isinstance(event, JobEnded) for event in events)

    until(is_whole, limit_s=30, what=f"{count} steps and the end of the job are told")
    return events


def test_every_agent_answers_a_ping_through_its_queue(stack):
    there = {"coordinator", "validator", "replicator"}
    until(lambda: answering(stack) == there, limit_s=30, what="those that run answer, and no other")


def test_pings_of_an_agent_that_is_away_do_not_heap_up(stack):
    """They came every few seconds, until Redis was full."""
    queue = stack.settings.redis.prefix + "backup"
    with AgentPing(stack.settings) as ping:
        for _ in range(2 * MOST_WAITING):
            ping(limit_s=0.01)
        assert stack.redis.llen(queue) == MOST_WAITING
        assert ping(limit_s=0.01)["backup"] is None
        stack.redis.delete(queue)
        ping(limit_s=0.01)
        assert stack.redis.llen(queue) == 1


def answering(stack: ShellStack) -> set[str]:
    found = ping_agents(stack.settings)
    return {agent for agent, seconds in found.items() if seconds is not None}


def test_the_audit_of_a_job_is_one_unbroken_chain(stack):
    job = stack.submit()
    stack.outcome(job)
    assert stack.audit_of(job) == ["submit", "job ended"]
    assert stack.store.verify_audit() is None


def test_flower_shows_one_row_per_step_and_one_per_job(stack):
    stack.plan(two={"looks": 10_000}, four={"fail": "broken"})
    with flower_view(stack.settings) as view:
        job = stack.submit()
        row = f"{job}/two/1/forward"
        until(
            lambda: row in view.tasks and "look" in str(view.tasks[row].result), limit_s=30,
            what="the step's sentence is shown",
        )  # fmt: skip
        assert (view.tasks[row].state, view.tasks[row].name) == ("PROGRESS", "validator.two")
        assert job in view.tasks[row].kwargs
        assert "SELECT" not in view.tasks[row].kwargs
        stack.tell("two")
        stack.outcome(job)
        until(
            lambda: view.tasks[job].state == "FAILURE" and have_ended(states_of(view, job)),
            limit_s=30, what="the job's row ends, and those of all its steps",
        )  # fmt: skip
    states = states_of(view, job)
    assert view.tasks[job].name == "bluegreen.job"
    assert "four was told to fail" in view.tasks[job].exception
    assert states["two/1/forward"] == "SUCCESS"
    assert states["four/1/forward"] == "FAILURE"
    assert states["one/1/backward"] == "SUCCESS"


def states_of(view: State, job: str) -> dict[str, str]:
    """Of the rows of a job's steps. What several agents send comes in any order."""
    return {
        uuid.removeprefix(f"{job}/"): task.state
        for uuid, task in list(view.tasks.items())
        if uuid.startswith(f"{job}/")
    }


def have_ended(states: dict[str, str]) -> bool:
    return len(states) == 1 + 5 + 5 and set(states.values()) <= {"SUCCESS", "FAILURE"}
