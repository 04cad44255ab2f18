"""The machine by example, and under hypothesis, which shrinks what it finds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from shared.domain.kinds import Outcome, StepState
from shared.domain.migration import RunOptions
from shared.saga.events import Accepted, Answer, Asked, Direction, SagaEvent
from shared.saga.machine import InvariantBroken, advance, check, over_limit
from shared.saga.recipes import (
    LONGEST_BACKOFF_S,
    MAINTENANCE,
    RECIPES,
    RISKY,
    SAFE,
    UNDO_ATTEMPTS,
    Recipe,
    planned,
)
from shared.saga.state import Phase, SagaState, outstanding, step_states
from shared.saga.steering import ENDED, choices, refusal
from tests.unit.saga.simulator import Simulation

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def begun(recipe: Recipe = RISKY, *, at: str = "", **fields: object) -> SagaState:
    """A job that goes forward and is at that step."""
    state = advance(SagaState(job="j", recipe=recipe, **fields), Accepted(), NOW).state
    while at and state.step.name != at:
        state = told(state, "done")
    return state


def answer(state: SagaState, kind: str, family: str = "", **fields: object) -> Answer:
    out = outstanding(state)
    assert out is not None
    return Answer(
        step=out.step, direction=out.direction, attempt=out.attempt, epoch=out.epoch,
        kind=kind, family=family, said=family or kind, **fields,
    )  # fmt: skip


def told(state: SagaState, kind: str, family: str = "") -> SagaState:
    return advance(state, answer(state, kind, family), NOW).state


def asked(state: SagaState, what: str) -> SagaState:
    return advance(state, Asked(what, "bob", NOW), NOW).state


def failed_for_good(state: SagaState, family: str = "broken") -> SagaState:
    """The step fails until it has no attempts left."""
    step, direction = state.at, state.direction
    while (state.at, state.direction) == (step, direction) and outstanding(state) is not None:
        state = told(state, "failed", family)
    return state


def test_an_answer_to_an_older_attempt_changes_nothing():
    first = begun(at="rehearse")
    second = told(first, "failed", "transient")
    assert second.attempt == 2
    assert advance(second, answer(first, "done"), NOW).state == second


def test_the_epoch_grows_with_each_attempt_and_not_with_a_look():
    state = begun(at="catch_up")
    assert told(state, "pending").epoch == state.epoch
    assert told(state, "failed", "transient").epoch == state.epoch + 1


def test_a_pending_step_is_looked_at_again_when_it_asked_for_it():
    state = begun(at="catch_up")
    decision = advance(state, answer(state, "pending", look_again_s=7.0), NOW)
    assert decision.is_look
    assert decision.command is not None
    assert decision.command.due_at == NOW + timedelta(seconds=7)
    assert decision.command.task_id == "j/catch_up/1/forward"


def test_the_pause_before_another_attempt_doubles_up_to_a_minute():
    step = RISKY[0]
    assert [step.wait_before(attempt) for attempt in (2, 3, 4)] == [1.0, 2.0, 4.0]
    assert step.wait_before(50) == LONGEST_BACKOFF_S


@pytest.mark.parametrize("family", ["broken", "refused", "late"])
def test_what_does_not_pass_is_not_tried_again(family):
    state = told(begun(at="rehearse"), "failed", family)
    assert (state.phase, state.step.name) == (Phase.BACKWARD, "rehearse")


@pytest.mark.parametrize("step", ["validate", "preflight"])
def test_a_refusal_before_any_change_ends_the_job_as_refused(step):
    state = told(begun(at=step), "failed", "refused")
    assert (state.phase, state.outcome) == (Phase.REFUSED, Outcome.REFUSED)


def test_a_refusal_later_is_undone():
    assert told(begun(at="rehearse"), "failed", "refused").phase is Phase.BACKWARD


def test_an_attempt_over_its_limit_has_failed():
    state = begun(at="subscribe")
    assert over_limit(state, NOW + timedelta(minutes=5)) is None
    late = over_limit(state, NOW + timedelta(minutes=5, seconds=1))
    assert late is not None
    after = advance(state, late, NOW)
    assert (after.state.phase, after.state.step.name) == (Phase.BACKWARD, "subscribe")
    assert "expected within 300 s" in after.sentence


def test_the_last_sentence_tells_the_cause():
    state = told(begun(at="preflight"), "failed", "broken")
    decision = advance(told(state, "done"), answer(told(state, "done"), "done"), NOW)
    assert decision.sentence == "preflight failed (broken); everything is undone"


def test_the_pivot_commits_the_job_when_it_is_sent():
    before, at_pivot = begun(at="hold_rollback_window"), begun(at="finish")
    assert asked(before, "rollback").phase is Phase.BACKWARD
    assert asked(at_pivot, "rollback") == at_pivot
    assert told(at_pivot, "failed", "broken").phase is Phase.FORWARD


def test_behind_the_pivot_it_is_tried_again_and_then_a_person_resumes_it():
    state = failed_for_good(begun(at="restore_standby"))
    assert (state.phase, state.outcome) == (Phase.STUCK, Outcome.NEEDS_OPERATOR)
    assert "bluegreen finish j" in choices(state)
    assert asked(state, "rollback") == state
    resumed = asked(state, "finish")
    assert (resumed.phase, resumed.step.name) == (Phase.FORWARD, "restore_standby")
    assert failed_for_good(resumed).phase is Phase.STUCK
    assert told(resumed, "done").phase is Phase.COMPLETED


def test_a_safe_file_that_has_committed_is_past_the_point_of_no_return():
    state = asked(begun(SAFE, at="apply_on_active"), "abort")
    assert state.abort_asked_by == "bob"
    after = told(state, "done")
    assert (after.phase, after.step.name, after.abort_asked_by) == (Phase.FORWARD, "confirm", "")
    assert told(state, "failed", "broken").phase is Phase.BACKWARD


def test_a_file_that_committed_while_it_was_given_up_goes_on():
    undoing = told(begun(SAFE, at="apply_on_active"), "failed", "broken")
    after = told(undoing, "failed", "refused")
    assert (after.phase, after.step.name, after.cause) == (Phase.FORWARD, "confirm", "")
    assert told(after, "done").phase is Phase.COMPLETED


def test_an_abort_waits_for_the_answer_of_a_step_that_is_under_way():
    state = asked(begun(at="catch_up"), "abort")
    assert state.phase is Phase.FORWARD
    for kind in ("pending", "done"):
        after = told(state, kind)
        assert (after.phase, after.step.name) == (Phase.BACKWARD, "catch_up")
    assert told(state, "failed", "transient").phase is Phase.BACKWARD


def test_an_abort_does_not_wait_for_a_look_that_is_not_due_yet():
    state = asked(told(begun(at="catch_up"), "pending"), "abort")
    assert (state.phase, state.step.name) == (Phase.BACKWARD, "catch_up")
    retrying = asked(told(begun(at="cutover"), "failed", "transient"), "abort")
    assert (retrying.phase, retrying.step.name) == (Phase.BACKWARD, "cutover")


def test_a_step_that_only_waits_is_left_at_once():
    state = asked(begun(at="hold_rollback_window"), "rollback")
    assert (state.phase, state.step.name) == (Phase.BACKWARD, "hold_rollback_window")
    assert StepState.FAILED not in step_states(state)


def test_what_a_waiting_step_waits_for_makes_it_look_at_once():
    state = told(begun(at="hold_for_approval"), "pending")
    assert state.due_at is not None
    assert state.due_at > NOW
    assert asked(state, "approve").due_at == NOW
    assert asked(state, "finish") == state


def test_an_undo_is_tried_again_and_then_a_person_is_called():
    state = told(begun(at="subscribe"), "failed", "broken")
    for attempt in range(1, UNDO_ATTEMPTS):
        assert state.attempt == attempt
        state = told(state, "failed", "broken")
    state = told(state, "failed", "broken")
    assert (state.phase, state.step.name) == (Phase.STUCK, "subscribe")
    assert "bluegreen rollback j" in choices(state)
    assert asked(state, "rollback").phase is asked(state, "resume").phase is Phase.BACKWARD


def test_an_undo_that_is_refused_calls_a_person_at_once():
    state = told(begun(at="subscribe"), "failed", "broken")
    assert told(state, "failed", "refused").phase is Phase.STUCK


def test_no_rollback_ends_as_without_it_before_anything_was_changed():
    state = told(begun(at="rehearse", keep=True), "failed", "broken")
    assert state.phase is Phase.BACKWARD
    assert not state.reopening


def test_no_rollback_keeps_the_servers_as_they_are():
    state = told(begun(at="confirm", keep=True), "failed", "broken")
    assert (state.phase, state.step.name) == (Phase.STUCK, "confirm")


def test_no_rollback_undoes_a_cutover_that_failed_and_nothing_else():
    state = told(begun(at="cutover", keep=True), "failed", "broken")
    assert (state.phase, state.step.name) == (Phase.BACKWARD, "cutover")
    stuck = told(state, "done")
    assert (stuck.phase, stuck.step.name) == (Phase.STUCK, "cutover")
    assert asked(stuck, "resume").phase is Phase.FORWARD
    undone = asked(stuck, "rollback")
    assert (undone.phase, undone.reopening) == (Phase.BACKWARD, False)


def test_no_rollback_lets_traffic_flow_from_any_step_that_may_hold_it():
    failed = told(begun(MAINTENANCE, at="apply_on_active", keep=True), "failed", "broken")
    assert (failed.phase, failed.step.name) == (Phase.BACKWARD, "hold_traffic")
    rest = asked(failed, "abort")
    assert (rest.step.name, rest.reopening) == ("apply_on_active", False)
    stuck = told(failed, "done")
    assert (stuck.phase, stuck.step.name) == (Phase.STUCK, "hold_traffic")
    assert asked(stuck, "rollback").step.name == "apply_on_active"
    unopened = failed_for_good(failed)
    assert (unopened.phase, unopened.reopening) == (Phase.STUCK, True)
    assert asked(unopened, "rollback").step.name == "apply_on_active"


def test_a_person_who_aborts_wants_all_of_it_undone_also_with_no_rollback():
    state = asked(begun(at="hold_rollback_window", keep=True), "rollback")
    assert (state.phase, state.reopening) == (Phase.BACKWARD, False)


def resting(state: SagaState) -> SagaState:
    """Undo until the job goes forward again."""
    while state.phase is Phase.BACKWARD:
        state = told(state, "done")
    return state


def test_keeping_the_sync_undoes_the_cutover_and_no_more_and_the_job_goes_on_from_there():
    window = begun(at="hold_rollback_window")
    going_back = asked(window, "keep-sync")
    assert (going_back.phase, going_back.step.name) == (Phase.BACKWARD, "hold_rollback_window")
    state = resting(going_back)
    assert (state.phase, state.step.name) == (Phase.FORWARD, "hold_in_sync")
    assert (state.back_to, state.cause, state.furthest) == (None, "", state.at)
    states = dict(zip((step.name for step in state.recipe), step_states(state), strict=True))
    assert states["catch_up"] is StepState.DONE
    assert states["cutover"] is StepState.PENDING
    assert refusal(state, "approve") == ""
    again = told(state, "done")
    assert again.step.name == "rederive"
    while again.step.name != "hold_rollback_window":
        again = told(again, "done")
    assert resting(asked(again, "keep-sync")).step.name == "hold_in_sync"
    assert resting(asked(state, "rollback")).phase is Phase.ROLLED_BACK


def test_a_sync_that_was_to_be_kept_may_still_be_given_up():
    going_back = asked(begun(at="hold_rollback_window"), "keep-sync")
    given_up = asked(going_back, "rollback")
    assert given_up.epoch == going_back.epoch
    assert outstanding(given_up) == outstanding(going_back)
    assert resting(given_up).phase is Phase.ROLLED_BACK
    stuck = failed_for_good(going_back)
    assert stuck.phase is Phase.STUCK
    assert resting(asked(stuck, "resume")).step.name == "hold_in_sync"
    assert resting(asked(stuck, "rollback")).phase is Phase.ROLLED_BACK


def test_the_sync_can_be_kept_only_between_the_cutover_and_the_end_of_the_window():
    for step in ("catch_up", "cutover", "confirm", "finish"):
        state = begun(at=step)
        assert refusal(state, "keep-sync")
        assert asked(state, "keep-sync") == state
    assert refusal(begun(at="hold_rollback_window"), "keep-sync") == ""
    kept = told(begun(at="confirm", keep=True), "failed", "broken")
    assert refusal(kept, "keep-sync") == ""
    assert resting(asked(kept, "keep-sync")).step.name == "hold_in_sync"


def test_where_the_way_back_is_closed_a_person_may_stay_on_the_target():
    state = asked(begun(at="hold_rollback_window"), "rollback")
    while state.step.name != "cutover":
        state = told(state, "done")
    stuck = told(state, "failed", "refused")
    assert stuck.phase is Phase.STUCK
    assert "gives up the way back" in choices(stuck)
    on = asked(stuck, "finish")
    assert (on.phase, on.step.name, on.going_forward) == (Phase.FORWARD, "cutover", True)
    assert told(told(on, "done"), "done").step.name == "hold_rollback_window"
    assert asked(stuck, "rollback").phase is asked(stuck, "resume").phase is Phase.BACKWARD


def test_an_abort_before_it_began_rolls_back_nothing():
    state = asked(SagaState(job="j", recipe=RISKY), "abort")
    assert (state.phase, outstanding(state)) == (Phase.ROLLED_BACK, None)


@pytest.mark.parametrize("phase", sorted(ENDED))
def test_nothing_moves_a_job_that_has_ended(phase):
    state = replace(begun(), phase=phase)
    events: list[SagaEvent] = [Accepted(), Asked("abort", "bob", NOW), Asked("resume", "bob", NOW)]
    assert all(advance(state, event, NOW).state == state for event in events)
    assert "has ended" in refusal(state, "rollback")


def test_what_may_be_asked_depends_on_where_it_stands():
    assert "has not begun" in refusal(SagaState(job="j", recipe=RISKY), "approve")
    assert "does not wait" in refusal(begun(at="catch_up"), "finish")
    assert refusal(begun(at="hold_rollback_window"), "finish") == ""
    assert "neither paused nor stuck" in refusal(begun(), "resume")
    assert refusal(begun(SAFE, at="apply_on_active"), "pause") == ""
    assert refusal(begun(SAFE, at="apply_on_active"), "resume") == ""
    assert "cannot pause now" in refusal(begun(MAINTENANCE, at="apply_on_active"), "pause")
    assert "cannot pause now" in refusal(begun(), "pause")
    assert "cannot pause now" in refusal(failed_for_good(begun(at="finish")), "pause")
    assert "past the point of no return (finish)" in refusal(begun(at="finish"), "rollback")
    assert "(apply_on_active)" in refusal(begun(SAFE, at="confirm"), "abort")
    assert refusal(begun(at="cutover"), "withdraw") == refusal(begun(at="cutover"), "approve") == ""
    assert "no approval" in refusal(begun(at="confirm"), "withdraw")
    stuck = failed_for_good(begun(at="finish"))
    assert refusal(stuck, "approve") == refusal(stuck, "resume") == ""
    assert choices(begun()) == ""


def test_the_options_decide_which_steps_run_and_how_long():
    plain = {step.name: step for step in planned(RISKY, RunOptions(timeout_s=90))}
    assert {"hold_for_approval", "wait_for_window"}.isdisjoint(plain)
    assert plain["confirm"].limit_s == 3600 + 90
    full = planned(RISKY, RunOptions(hold=True, at="02:00", backup="none"))
    assert {step.name for step in RISKY} - {step.name for step in full} == {
        "take_rollback_point", "dump_rollback_point", "verify_rollback_point",
    }  # fmt: skip


@pytest.mark.parametrize("recipe", RECIPES.values())
def test_a_recipe_has_one_point_of_no_return_and_only_retriable_steps_behind_it(recipe):
    roles = [step.role for step in recipe]
    turns = [index for index, role in enumerate(roles) if role in ("pivot", "commits")]
    assert len(turns) == 1
    assert set(roles[turns[0] + 1 :]) <= {"retriable"}
    assert roles[-1] != "commits"
    assert set(roles[: turns[0]]) == {"compensatable"}


def test_a_state_that_must_not_be_is_an_error():
    state = begun(at="finish")
    with pytest.raises(InvariantBroken, match="nothing is undone"):
        check(state, replace(state, phase=Phase.BACKWARD, direction=Direction.BACKWARD))


class AnyJob(RuleBasedStateMachine):
    """What the simulator does at random, hypothesis does on purpose."""

    @initialize(seed=st.integers(0, 2**32))
    def begin(self, seed: int) -> None:
        self.simulation = Simulation(seed)

    def _draw(self, draw: Random) -> Simulation:
        self.simulation.draw = draw
        return self.simulation

    @rule(draw=st.randoms())
    def work(self, draw: Random) -> None:
        self._draw(draw)._work()

    @precondition(lambda self: self.simulation.given)
    @rule(draw=st.randoms())
    def stale_answer(self, draw: Random) -> None:
        self._draw(draw).decide(draw.choice(self.simulation.given))

    @precondition(lambda self: self.simulation.sent)
    @rule(draw=st.randoms())
    def repeated_command(self, draw: Random) -> None:
        self._draw(draw)._deliver(draw.choice(self.simulation.sent))

    @rule(draw=st.randoms())
    def person(self, draw: Random) -> None:
        self._draw(draw)._person()

    @rule(hours=st.sampled_from([0.1, 5, 13]))
    def clock(self, hours: float) -> None:
        self.simulation.now += timedelta(hours=hours)
        late = over_limit(self.simulation.state, self.simulation.now)
        if late is not None:
            self.simulation.decide(late)

    @invariant()
    def the_laws_hold(self) -> None:
        if hasattr(self, "simulation"):
            self.simulation.check()


AnyJob.TestCase.settings = settings(
    max_examples=60, stateful_step_count=50, deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
TestAnyJob = AnyJob.TestCase
