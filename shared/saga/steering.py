"""What a person may ask of a job as it stands, and what is left to choose when it is stuck."""

from __future__ import annotations

from datetime import datetime

from shared.saga.conditions import can_keep_sync
from shared.saga.events import Asked, Steering
from shared.saga.recipes import CUTOVER
from shared.saga.state import Phase, SagaState

ENDED = frozenset({Phase.COMPLETED, Phase.ROLLED_BACK, Phase.REFUSED})


def refusal(state: SagaState, what: Steering) -> str:
    """Why this cannot be asked now; empty when it can."""
    if state.phase in ENDED:
        return f"job {state.job} has ended ({state.outcome}): there is nothing to {what}"
    if what in ("abort", "rollback"):
        return _no_way_back(state)
    if what == "keep-sync":
        return _no_way_back(state) or _no_sync_to_keep(state)
    if what == "pause":
        return "" if _can_pause(state) else _no_pause(state)
    if what == "resume":
        resumes = state.phase is Phase.STUCK or _can_pause(state)
        return "" if resumes else f"job {state.job} is neither paused nor stuck"
    if what == "withdraw":
        return "" if _is_approved(state) else f"job {state.job} has no approval that still counts"
    if state.phase is Phase.STUCK or (what == "approve" and _is_approved(state)):
        return ""
    if state.phase is Phase.FORWARD and state.step.ends_on == what:
        return ""
    return (
        f"job {state.job} does not wait for `{what}`: it is {state.phase} at {state.step.name}"
        if state.phase is not Phase.REQUESTED
        else f"job {state.job} does not wait for `{what}`: it has not begun"
    )


def _is_approved(state: SagaState) -> bool:
    """It was let go on, and has not yet done what it was held for: an approval may be taken back,
    run out, and be given again."""
    held = any(step.name == "hold_for_approval" for step in state.recipe)
    return state.phase is Phase.FORWARD and held and state.step.name == "cutover"


def choices(state: SagaState) -> str:
    """What a person can do about a job that is stuck, in one line."""
    if state.phase is not Phase.STUCK:
        return ""
    onward = f"`bluegreen finish {state.job}` tries {state.step.name} again"
    if state.past_pivot:
        return onward
    if not state.going_forward and state.step.name == CUTOVER and not state.reopening:
        onward = f"`bluegreen finish {state.job}` gives up the way back and goes on from it"
    return f"`bluegreen rollback {state.job}` undoes it, or {onward}"


def _can_pause(state: SagaState) -> bool:
    """Never while clients are held."""
    return state.phase is Phase.FORWARD and state.step.can_pause and not state.held


def _no_pause(state: SagaState) -> str:
    where = "not begun" if state.phase is Phase.REQUESTED else f"{state.phase} at {state.step.name}"
    return (
        f"job {state.job} cannot pause now: it is {where}; only a safe file can, between its"
        " transactions and between batches"
    )


def _no_sync_to_keep(state: SagaState) -> str:
    if can_keep_sync(state, Asked("keep-sync", "", datetime.min)):
        return ""
    where = "not begun" if state.phase is Phase.REQUESTED else f"{state.phase} at {state.step.name}"
    return (
        f"job {state.job} can go back and stay in sync only while it waits in its rollback window:"
        f" it is {where}"
    )


def _no_way_back(state: SagaState) -> str:
    if not state.past_pivot:
        return ""
    last = next(
        step.name for step in state.recipe if step.role in ("pivot", "commits")
    )  # a recipe has one of them
    return (
        f"job {state.job} is past the point of no return ({last}): "
        "it can only go on; a change back is a new migration"
    )
