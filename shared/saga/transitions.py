"""THE TABLE: in this phase, on this event, if this holds: that phase, that deed, this sentence.

The first row that fits is taken. A pair of phase and event without a row has no effect: all such
pairs stand in IGNORED, so that leaving one out is a choice (tests/unit/saga/test_transitions.py).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from shared.saga.conditions import (
    abort_asked,
    abort_in_time,
    always,
    attempts_left,
    can_keep_sync,
    committed,
    in_sync_again,
    keep,
    keep_but_held,
    keeps_sync,
    last_step,
    may_try_again,
    more_to_undo,
    must_go_on,
    nothing_runs,
    past_pivot,
    refused_by_a_look,
    reopening,
    stays_on_target,
    waits_for_this,
    was_undoing,
)
from shared.saga.events import On, SagaEvent
from shared.saga.state import Phase, SagaState

REQUESTED, FORWARD, BACKWARD, STUCK = (
    Phase.REQUESTED, Phase.FORWARD, Phase.BACKWARD, Phase.STUCK,
)  # fmt: skip
COMPLETED, ROLLED_BACK, REFUSED = Phase.COMPLETED, Phase.ROLLED_BACK, Phase.REFUSED


class Do(StrEnum):
    """What the machine does; shared/saga/machine.py has one function for each."""

    RUN_FIRST = "run the first step"
    RUN_NEXT = "run the next step"
    RUN_AGAIN = "run it again after a pause"
    RUN_ANEW = "run it anew"
    LOOK_AGAIN = "look again later"
    LOOK_NOW = "look now"
    UNDO = "undo the furthest step"
    UNDO_HELD = "undo what holds traffic"
    UNDO_CUTOVER = "undo as far as the rest in sync"
    REST = "go on from the rest in sync"
    GIVE_UP_SYNC = "undo all of it"
    UNDO_PREVIOUS = "undo the step before"
    UNDO_AGAIN = "undo it again after a pause"
    UNDO_ANEW = "undo it anew"
    NOTE = "note it"
    NOTHING = "nothing"
    CALL = "call a person"
    END = "end the job"


class Row(NamedTuple):
    phase: Phase
    on: On
    when: Callable[[SagaState, SagaEvent], bool]
    to: Phase
    does: Do
    says: str


# fmt: off
TABLE: tuple[Row, ...] = (
    Row(REQUESTED, On.ACCEPTED, always,            FORWARD,     Do.RUN_FIRST,     "accepted, {steps} steps"),
    Row(REQUESTED, On.ABORT,    always,            ROLLED_BACK, Do.END,           "aborted by {who} before it began"),

    Row(FORWARD,   On.PENDING,  abort_asked,       BACKWARD,    Do.UNDO,          "aborted by {who} at {step}; undoing, beginning with it"),
    Row(FORWARD,   On.PENDING,  always,            FORWARD,     Do.LOOK_AGAIN,    "{step}: {said}"),
    Row(FORWARD,   On.DONE,     abort_in_time,     BACKWARD,    Do.UNDO,          "aborted by {who} after {step}; undoing, beginning with it"),
    Row(FORWARD,   On.DONE,     last_step,         COMPLETED,   Do.END,           "migration complete"),
    Row(FORWARD,   On.DONE,     abort_asked,       FORWARD,     Do.RUN_NEXT,      "{step} has committed: too late for {who} to abort"),
    Row(FORWARD,   On.DONE,     always,            FORWARD,     Do.RUN_NEXT,      "{step} done"),
    Row(FORWARD,   On.FAILED,   refused_by_a_look, REFUSED,     Do.END,           "refused by {step}: {said}"),
    Row(FORWARD,   On.FAILED,   must_go_on,        FORWARD,     Do.RUN_AGAIN,     "{step} failed ({said}); no way back, trying again in {wait}"),
    Row(FORWARD,   On.FAILED,   past_pivot,        STUCK,       Do.CALL,          "{step} failed ({said}); no way back, a person decides"),
    Row(FORWARD,   On.FAILED,   abort_asked,       BACKWARD,    Do.UNDO,          "aborted by {who} at {step}, which failed ({said}); undoing"),
    Row(FORWARD,   On.FAILED,   may_try_again,     FORWARD,     Do.RUN_AGAIN,     "{step} failed ({said}), trying again in {wait}"),
    Row(FORWARD,   On.FAILED,   keep_but_held,     BACKWARD,    Do.UNDO_HELD,     "{step} failed ({said}); letting traffic flow, all else is kept"),
    Row(FORWARD,   On.FAILED,   keep,              STUCK,       Do.CALL,          "{step} failed ({said}); all is kept as it is, a person decides"),
    Row(FORWARD,   On.FAILED,   always,            BACKWARD,    Do.UNDO,          "{step} failed ({said}); undoing, beginning with it"),
    Row(FORWARD,   On.ABORT,    past_pivot,        FORWARD,     Do.NOTHING,       "{who} asked to abort past the point of no return: it goes on"),
    Row(FORWARD,   On.ABORT,    nothing_runs,      BACKWARD,    Do.UNDO,          "aborted by {who} at {step}; undoing, beginning with it"),
    Row(FORWARD,   On.ABORT,    always,            FORWARD,     Do.NOTE,          "{who} asked to abort; honoured at the next answer of {step}"),
    Row(FORWARD,   On.KEEP_SYNC, can_keep_sync,    BACKWARD,    Do.UNDO_CUTOVER,  "{who} asked to go back and keep the sync; undoing the cutover"),
    Row(FORWARD,   On.KEEP_SYNC, always,           FORWARD,     Do.NOTHING,       "{who} asked to go back and keep the sync, which {step} does not allow"),
    Row(FORWARD,   On.PAUSE,    always,            FORWARD,     Do.NOTHING,       "{who} asked to pause; {step} does so between two of its parts"),
    Row(FORWARD,   On.GO_ON,    waits_for_this,    FORWARD,     Do.LOOK_NOW,      "{what} asked by {who}"),
    Row(FORWARD,   On.GO_ON,    always,            FORWARD,     Do.NOTHING,       "{what} asked by {who}"),
    Row(FORWARD,   On.TAKE_BACK, always,           FORWARD,     Do.NOTHING,       "the approval is withdrawn by {who}; it counts where nothing has begun"),

    Row(BACKWARD,  On.PENDING,  always,            BACKWARD,    Do.LOOK_AGAIN,    "undo of {step}: {said}"),
    Row(BACKWARD,  On.DONE,     in_sync_again,     FORWARD,     Do.REST,          "{step} undone; both sides are in sync"),
    Row(BACKWARD,  On.DONE,     more_to_undo,      BACKWARD,    Do.UNDO_PREVIOUS, "{step} undone"),
    Row(BACKWARD,  On.DONE,     reopening,         STUCK,       Do.CALL,          "{cause}; traffic flows, all else is kept, a person decides"),
    Row(BACKWARD,  On.DONE,     always,            ROLLED_BACK, Do.END,           "{cause}; everything is undone"),
    Row(BACKWARD,  On.FAILED,   committed,         FORWARD,     Do.RUN_NEXT,      "{step} has committed and cannot be undone: going on"),
    Row(BACKWARD,  On.FAILED,   attempts_left,     BACKWARD,    Do.UNDO_AGAIN,    "undo of {step} failed ({said}), trying again in {wait}"),
    Row(BACKWARD,  On.FAILED,   always,            STUCK,       Do.CALL,          "{cause}; undo of {step} failed ({said}), a person decides"),
    Row(BACKWARD,  On.ABORT,    reopening,         BACKWARD,    Do.UNDO,          "{who} asked to undo all of it"),
    Row(BACKWARD,  On.ABORT,    keeps_sync,        BACKWARD,    Do.GIVE_UP_SYNC,  "{who} asked to undo all of it"),
    Row(BACKWARD,  On.ABORT,    always,            BACKWARD,    Do.NOTHING,       "{who} asked to abort; it is being undone already"),

    Row(STUCK,     On.ABORT,    past_pivot,        STUCK,       Do.NOTHING,       "{who} asked to abort past the point of no return: resume it"),
    Row(STUCK,     On.ABORT,    reopening,         BACKWARD,    Do.UNDO,          "{who} asked to undo all of it"),
    Row(STUCK,     On.ABORT,    was_undoing,       BACKWARD,    Do.UNDO_ANEW,     "resumed by {who}: undoing {step}"),
    Row(STUCK,     On.ABORT,    always,            BACKWARD,    Do.UNDO,          "{who} asked to undo it"),
    Row(STUCK,     On.KEEP_SYNC, can_keep_sync,    BACKWARD,    Do.UNDO_CUTOVER,  "{who} asked to go back and keep the sync; undoing the cutover"),
    Row(STUCK,     On.KEEP_SYNC, always,           STUCK,       Do.NOTHING,       "{who} asked to go back and keep the sync, which {step} does not allow"),
    Row(STUCK,     On.GO_ON,    stays_on_target,   FORWARD,     Do.RUN_ANEW,      "{who} gave up the way back: {step} stands, and is looked at again"),
    Row(STUCK,     On.GO_ON,    was_undoing,       BACKWARD,    Do.UNDO_ANEW,     "resumed by {who}: undoing {step}"),
    Row(STUCK,     On.GO_ON,    always,            FORWARD,     Do.RUN_ANEW,      "resumed by {who}: {step} runs again"),
)
# fmt: on

IGNORED: frozenset[tuple[Phase, On]] = frozenset(
    {(phase, on) for phase in (COMPLETED, ROLLED_BACK, REFUSED) for on in On}
    | {(phase, On.ACCEPTED) for phase in (FORWARD, BACKWARD, STUCK)}
    | {(phase, on) for phase in (REQUESTED, STUCK) for on in (On.PENDING, On.DONE, On.FAILED)}
    | {(phase, On.GO_ON) for phase in (REQUESTED, BACKWARD)}
    | {(phase, On.KEEP_SYNC) for phase in (REQUESTED, BACKWARD)}
    | {(phase, On.TAKE_BACK) for phase in (REQUESTED, BACKWARD, STUCK)}
    | {(phase, On.PAUSE) for phase in (REQUESTED, BACKWARD, STUCK)}
)
