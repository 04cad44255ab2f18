"""What each deed of the table makes of a state: one pure function for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from shared.saga.conditions import may_come_back
from shared.saga.events import Answer, Asked, Direction, On, SagaEvent
from shared.saga.recipes import AWAY_ATTEMPTS, UNDO_ATTEMPTS
from shared.saga.state import Phase, SagaState
from shared.saga.transitions import Do


def _begin(state: SagaState, at: int, direction: Direction, now: datetime) -> SagaState:
    """The first attempt at that step in that direction."""
    backward = direction is Direction.BACKWARD
    return replace(
        state,
        at=at,
        furthest=max(at, state.furthest),
        direction=direction,
        attempt=1,
        granted=UNDO_ATTEMPTS if backward else state.recipe[at].attempts,
        epoch=state.epoch + 1,
        began_at=now,
        due_at=now,
    )


def _repeat(state: SagaState, wait_s: float, now: datetime) -> SagaState:
    """The next attempt, after a pause; its limit is counted from the end of the pause."""
    due_at = now + timedelta(seconds=wait_s)
    return replace(
        state, attempt=state.attempt + 1, epoch=state.epoch + 1, began_at=due_at, due_at=due_at
    )


def _run_first(state: SagaState, _event: SagaEvent, now: datetime) -> SagaState:
    return _begin(state, 0, Direction.FORWARD, now)


def _run_next(state: SagaState, _event: SagaEvent, now: datetime) -> SagaState:
    begun = _begin(state, state.at + 1, Direction.FORWARD, now)
    return replace(begun, abort_asked_by="", cause="", remedy="")


def _again(state: SagaState, event: SagaEvent, now: datetime) -> SagaState:
    """A server that was away takes no attempt from the step; how often it may be, is bounded."""
    again = _repeat(state, state.step.wait_before(state.attempt + 1), now)
    if may_come_back(state, event) and state.granted < AWAY_ATTEMPTS:
        return replace(again, granted=state.granted + 1)
    return again


def _run_anew(state: SagaState, _event: SagaEvent, now: datetime) -> SagaState:
    granted = state.attempt + state.step.attempts
    return replace(
        _repeat(state, 0.0, now),
        direction=Direction.FORWARD,
        granted=granted,
        cause="",
        remedy="",
        back_to=None,
        abort_asked_by="",
    )


def _undo_anew(state: SagaState, event: SagaEvent, now: datetime) -> SagaState:
    back_to = None if event.on is On.ABORT else state.back_to
    granted = state.attempt + UNDO_ATTEMPTS
    return replace(_repeat(state, 0.0, now), granted=granted, back_to=back_to)


def _look_again(state: SagaState, event: SagaEvent, now: datetime) -> SagaState:
    pause_s = event.look_again_s if isinstance(event, Answer) else 0.0
    return replace(state, due_at=now + timedelta(seconds=max(0.0, pause_s)))


def _undo(state: SagaState, event: SagaEvent, now: datetime) -> SagaState:
    begun = _begin(state, state.furthest, Direction.BACKWARD, now)
    asked_by = event.who if isinstance(event, Asked) else state.abort_asked_by
    first = state.phase is Phase.FORWARD
    return replace(
        _given_up(begun, state, event),
        reopening=False,
        abort_asked_by=asked_by if first else state.abort_asked_by,
    )


def _undo_held(state: SagaState, event: SagaEvent, now: datetime) -> SagaState:
    begun = _begin(state, max(state.held), Direction.BACKWARD, now)
    return replace(_given_up(begun, state, event), reopening=True)


def _undo_previous(state: SagaState, _event: SagaEvent, now: datetime) -> SagaState:
    assert state.undone_next is not None
    return _begin(state, state.undone_next, Direction.BACKWARD, now)


def _undo_cutover(state: SagaState, event: SagaEvent, now: datetime) -> SagaState:
    """As far as the rest in sync. The recipe's later steps begin anew from there."""
    begun = _begin(state, state.furthest, Direction.BACKWARD, now)
    who = event.who if isinstance(event, Asked) else ""
    return replace(
        begun, back_to=state.rest_in_sync, cause=f"taken back by {who}, to stay in sync", remedy=""
    )


def _rest(state: SagaState, _event: SagaEvent, now: datetime) -> SagaState:
    assert state.back_to is not None
    begun = _begin(state, state.back_to, Direction.FORWARD, now)
    return replace(begun, furthest=state.back_to, back_to=None, cause="", remedy="")


def _give_up_sync(state: SagaState, event: SagaEvent, _now: datetime) -> SagaState:
    """The undo that is out goes on; the ones after it are sent as well."""
    who = event.who if isinstance(event, Asked) else ""
    return replace(state, back_to=None, cause=f"aborted by {who}")


def _note(state: SagaState, event: SagaEvent, _now: datetime) -> SagaState:
    return replace(state, abort_asked_by=event.who if isinstance(event, Asked) else "")


def _call(state: SagaState, event: SagaEvent, _now: datetime) -> SagaState:
    """Stand still. Where only traffic was let flow, the way is open forward and back."""
    reopened = state.reopening and event.on is On.DONE
    return replace(
        _given_up(state, state, event),
        reopening=state.reopening and not reopened,
        direction=Direction.FORWARD if reopened else state.direction,
    )


def _same(state: SagaState, _event: SagaEvent, _now: datetime) -> SagaState:
    return state


def _end(state: SagaState, event: SagaEvent, _now: datetime) -> SagaState:
    return state if event.on is On.DONE else _given_up(state, state, event)


def _given_up(state: SagaState, before: SagaState, event: SagaEvent) -> SagaState:
    """`state` with the reason why it does not go forward: the first reason stays the reason."""
    if before.cause:
        return replace(state, cause=before.cause, remedy=before.remedy)
    if isinstance(event, Asked):
        return replace(state, cause=f"aborted by {event.who}")
    if before.abort_asked_by:
        return replace(state, cause=f"aborted by {before.abort_asked_by}")
    failed = event if isinstance(event, Answer) else None
    said = f" ({failed.said})" if failed else ""
    return replace(
        state,
        cause=f"{before.step.name} failed{said}",
        remedy=failed.remedy if failed else "",
    )


Effect = Callable[[SagaState, SagaEvent, datetime], SagaState]
EFFECTS: dict[Do, Effect] = {
    Do.RUN_FIRST: _run_first,
    Do.RUN_NEXT: _run_next,
    Do.RUN_AGAIN: _again,
    Do.RUN_ANEW: _run_anew,
    Do.LOOK_AGAIN: _look_again,
    Do.LOOK_NOW: _look_again,
    Do.UNDO: _undo,
    Do.UNDO_HELD: _undo_held,
    Do.UNDO_CUTOVER: _undo_cutover,
    Do.REST: _rest,
    Do.GIVE_UP_SYNC: _give_up_sync,
    Do.UNDO_PREVIOUS: _undo_previous,
    Do.UNDO_AGAIN: _again,
    Do.UNDO_ANEW: _undo_anew,
    Do.NOTE: _note,
    Do.NOTHING: _same,
    Do.CALL: _call,
    Do.END: _end,
}
SENDS = frozenset(Do) - {Do.NOTE, Do.NOTHING, Do.GIVE_UP_SYNC, Do.CALL, Do.END}
