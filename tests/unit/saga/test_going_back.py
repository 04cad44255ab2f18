"""Aborted, undone, kept in sync: how a job goes back, by example."""

from __future__ import annotations

from shared.domain.kinds import StepState
from shared.saga.recipes import (
    MAINTENANCE,
    RISKY,
    UNDO_ATTEMPTS,
)
from shared.saga.state import Phase, SagaState, outstanding, step_states
from shared.saga.steering import choices, refusal
from tests.unit.saga.states import NOW, asked, begun, failed_for_good, told


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
