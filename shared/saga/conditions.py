"""The conditions of the table: pure questions about one state and one event.

The name is what the generated page prints; the docstring says what it means.
"""

from __future__ import annotations

from shared.saga.events import Answer, Asked, Direction, SagaEvent
from shared.saga.recipes import AWAY_ATTEMPTS, CUTOVER
from shared.saga.state import Phase, SagaState


def always(_state: SagaState, _event: SagaEvent) -> bool:
    """Whatever else holds."""
    return True


def last_step(state: SagaState, _event: SagaEvent) -> bool:
    """No step follows."""
    return state.at == len(state.recipe) - 1


def past_pivot(state: SagaState, _event: SagaEvent) -> bool:
    """The point of no return was sent, or a step that commits is done."""
    return state.past_pivot


def abort_asked(state: SagaState, _event: SagaEvent) -> bool:
    """A person asked to abort while the step was under way."""
    return bool(state.abort_asked_by)


def abort_in_time(state: SagaState, _event: SagaEvent) -> bool:
    """A person asked to abort, and the step that is now done can be undone."""
    return bool(state.abort_asked_by) and state.step.role != "commits"


def nothing_runs(state: SagaState, event: SagaEvent) -> bool:
    """The step only waits for a person or a clock, or the next look at it is not due yet."""
    not_due = isinstance(event, Asked) and state.due_at is not None and event.at < state.due_at
    return state.step.waits or not_due


def waits_for_this(state: SagaState, event: SagaEvent) -> bool:
    """The step waits for just this request."""
    return isinstance(event, Asked) and event.what == state.step.ends_on


def refused_by_a_look(state: SagaState, event: SagaEvent) -> bool:
    """A step that only looks refused the request: there is nothing to undo."""
    return isinstance(event, Answer) and event.family == "refused" and state.step.looks_only


def may_try_again(state: SagaState, event: SagaEvent) -> bool:
    """The failure may pass (Transient), and attempts are left; or a server is away that may come
    back (Away), and waiting for it keeps no traffic held."""
    passes = isinstance(event, Answer) and event.family in ("transient", "away")
    return (passes and state.attempt < state.granted) or may_come_back(state, event)


def attempts_left(state: SagaState, event: SagaEvent) -> bool:
    """Whatever the failure, except a refusal: that would be the same next time; and while a server
    is away that may come back."""
    refused = isinstance(event, Answer) and event.family == "refused"
    left = not refused and state.attempt < state.granted
    return left or may_come_back(state, event)


def may_come_back(state: SagaState, event: SagaEvent) -> bool:
    """A server is waited for as long going forward as on the way back, which is longer than one
    takes to start. Where traffic is held, giving up is what lets it flow again. A step that begins
    only once, before the point of no return, is given up: the user's file must not run twice."""
    away = isinstance(event, Answer) and event.family == "away"
    repeats = state.step.attempts > 1 or state.step.role == "retriable"
    return away and repeats and not state.held and state.attempt < AWAY_ATTEMPTS


def must_go_on(state: SagaState, event: SagaEvent) -> bool:
    """Behind the point of no return, and attempts are left."""
    return state.past_pivot and attempts_left(state, event)


def keep(state: SagaState, _event: SagaEvent) -> bool:
    """--no-rollback, and the servers were changed."""
    return state.keep and any(step.changes for step in state.begun)


def keep_but_held(state: SagaState, event: SagaEvent) -> bool:
    """--no-rollback, but traffic may be held: that much is undone."""
    return keep(state, event) and bool(state.held)


def committed(state: SagaState, event: SagaEvent) -> bool:
    """The undo of a step that commits was refused: it has committed after all."""
    refused = isinstance(event, Answer) and event.family == "refused"
    return refused and state.step.role == "commits"


def more_to_undo(state: SagaState, _event: SagaEvent) -> bool:
    """An earlier step is to be undone as well."""
    return state.undone_next is not None


def reopening(state: SagaState, _event: SagaEvent) -> bool:
    """Only what holds traffic is being undone (--no-rollback)."""
    return state.reopening


def can_keep_sync(state: SagaState, _event: SagaEvent) -> bool:
    """The cutover is done, nothing runs, and both sides can rest in sync before it."""
    at_rest = state.phase is Phase.STUCK or state.step.waits
    return at_rest and state.rest_in_sync is not None


def in_sync_again(state: SagaState, _event: SagaEvent) -> bool:
    """Only what comes after the rest in sync was to be undone, and all of that is."""
    return state.back_to is not None and state.at == state.back_to + 1


def keeps_sync(state: SagaState, _event: SagaEvent) -> bool:
    """It is going back to the rest in sync, and no further."""
    return state.back_to is not None


def stays_on_target(state: SagaState, event: SagaEvent) -> bool:
    """`finish` is asked where the way back from the target is closed: it goes on serving."""
    return (
        isinstance(event, Asked)
        and event.what == "finish"
        and state.direction is Direction.BACKWARD
        and state.step.name == CUTOVER
        and not state.reopening
    )


def was_undoing(state: SagaState, _event: SagaEvent) -> bool:
    """It got stuck on the way back."""
    return state.direction is Direction.BACKWARD
