"""The machine by example: answers, attempts, the point of no return, what may be asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.kinds import Outcome
from shared.domain.migration import RunOptions
from shared.saga.events import Accepted, Asked, Direction, SagaEvent
from shared.saga.machine import InvariantBroken, advance, check, over_limit
from shared.saga.recipes import (
    AWAY_ATTEMPTS,
    LONGEST_BACKOFF_S,
    MAINTENANCE,
    RECIPES,
    RISKY,
    SAFE,
    planned,
)
from shared.saga.state import Phase, SagaState
from shared.saga.steering import ENDED, choices, refusal
from tests.unit.saga.states import NOW, answer, asked, begun, failed_for_good, told


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


def waits_while_away(state: SagaState) -> tuple[SagaState, float]:
    """What comes of a step whose server does not come back, and the seconds that it was given."""
    step, direction, waited_s = state.at, state.direction, 0.0
    while (state.at, state.direction) == (step, direction):
        decision = advance(state, answer(state, "failed", "away"), NOW)
        state = decision.state
        if (state.at, state.direction) == (step, direction) and state.due_at is not None:
            waited_s += (state.due_at - NOW).total_seconds()
        if state.phase is Phase.STUCK:
            break
    return state, waited_s


@pytest.mark.parametrize("step", ["preflight", "rehearse", "compare_rows", "finish"])
def test_a_server_that_is_away_is_waited_for_about_two_minutes(step):
    state, waited_s = waits_while_away(begun(at=step))
    assert 100 < waited_s < 180
    assert state.phase is (Phase.STUCK if step == "finish" else Phase.BACKWARD)
    assert waits_while_away(begun(SAFE, at="confirm"))[1] == waited_s


@pytest.mark.parametrize("away", [1, 3, 7])
def test_a_server_that_was_away_takes_no_attempt_from_the_step(away):
    state = begun(at="rehearse")
    assert state.step.attempts == 2
    for _ in range(away):
        state = told(state, "failed", "away")
    others = min(2, AWAY_ATTEMPTS - away)
    for _ in range(others - 1):
        state = told(state, "failed", "transient")
        assert state.phase is Phase.FORWARD
    assert told(state, "failed", "transient").phase is Phase.BACKWARD
    assert told(state, "done").step.name == "freeze_schema"


def test_nothing_is_waited_for_longer_where_traffic_is_held_or_the_file_runs_only_once():
    assert waits_while_away(begun(at="apply_migration"))[1] == 0
    assert waits_while_away(begun(SAFE, at="apply_on_active"))[1] == 0
    held = begun(MAINTENANCE, at="take_rollback_point")
    assert held.held
    assert waits_while_away(held)[1] == sum(
        held.step.wait_before(attempt) for attempt in range(2, held.step.attempts + 1)
    )
    assert waits_while_away(begun(MAINTENANCE, at="confirm"))[1] == 0


def test_on_the_way_back_a_server_that_is_away_has_the_attempts_of_an_undo():
    undoing = told(begun(at="rehearse"), "failed", "refused")
    state, waited_s = waits_while_away(undoing)
    assert (state.phase, waited_s > 100) == (Phase.STUCK, True)


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
