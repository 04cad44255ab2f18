"""`advance(state, event, now) -> Decision`: looks up the table, keeps the invariants, does no I/O.

Laws. The point of no return commits the saga when it is sent. Undo begins with the furthest step
that ever began, for it may be half done. Every attempt has an epoch, and an answer to an older one
changes nothing. An abort is a request: honoured at the next answer, at once where only waited.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.errors import Broken
from shared.saga.effects import EFFECTS, SENDS
from shared.saga.events import Answer, Asked, SagaEvent
from shared.saga.state import ACTIVE, Command, Phase, SagaState, outstanding
from shared.saga.transitions import TABLE, Do, Row


@dataclass(frozen=True, slots=True)
class Decision:
    state: SagaState
    row: Row | None = None
    """None: the event changes nothing (stale, or ignored in this phase)."""
    sentence: str = ""
    command: Command | None = None
    """To be sent when it is due; None where the one that is out stays out, or nothing is."""
    step: str = ""
    """The step that the event was about."""
    said: str = ""
    """The agent's own words about it, where it was an answer."""
    begins: bool = False
    """The command begins an attempt, it is not another look at one."""

    @property
    def is_look(self) -> bool:
        """Only a measure of progress: not worth a line of history."""
        return self.row is not None and self.row.does is Do.LOOK_AGAIN


class InvariantBroken(Broken):
    """The machine itself is wrong: nothing is written, nothing is sent."""


def advance(state: SagaState, event: SagaEvent, now: datetime) -> Decision:
    """What follows. Raises InvariantBroken instead of a state that must not be."""
    if isinstance(event, Answer) and not answers(state, event):
        return Decision(state)
    row = next((row for row in TABLE if _fits(row, state, event)), None)
    if row is None:
        return Decision(state)
    after = replace(EFFECTS[row.does](state, event, now), phase=row.to)
    if row.to not in ACTIVE:
        after = replace(after, due_at=None)
    check(state, after)
    sentence = row.says.format_map(_words(state, after, event, now))
    return Decision(
        state=after,
        row=row,
        sentence=sentence,
        command=outstanding(after) if row.does in SENDS else None,
        step="" if state.phase is Phase.REQUESTED else state.step.name,
        said=event.said if isinstance(event, Answer) else "",
        begins=after.epoch > state.epoch,
    )


def answers(state: SagaState, answer: Answer) -> bool:
    """Whether it answers the command that is out, and not an older one."""
    out = outstanding(state)
    return out is not None and (out.step, out.direction, out.attempt, out.epoch) == (
        answer.step,
        answer.direction,
        answer.attempt,
        answer.epoch,
    )


def over_limit(state: SagaState, now: datetime) -> Answer | None:
    """The failure of an attempt that is over its limit; None when it is not."""
    if state.late_at is None or now <= state.late_at:
        return None
    said = f"expected within {_seconds(state.limit_s)}, not done by then"
    return failure(state, "late", said)


def failure(state: SagaState, family: str, said: str) -> Answer:
    """An answer on behalf of an agent that does not give one itself."""
    assert family in ("transient", "late")
    return Answer(
        step=state.step.name,
        direction=state.direction,
        attempt=state.attempt,
        epoch=state.epoch,
        kind="failed",
        said=said,
        family="late" if family == "late" else "transient",
    )


def check(before: SagaState, after: SagaState) -> None:
    """The invariants, asked after every transition."""
    laws = {
        "past the point of no return nothing is undone": not (
            after.past_pivot and after.phase in (Phase.BACKWARD, Phase.ROLLED_BACK)
        ),
        "an epoch never falls": after.epoch >= before.epoch,
        "an attempt has an epoch of its own": after.epoch > before.epoch
        or (after.at, after.direction, after.attempt)
        == (before.at, before.direction, before.attempt)
        or after.phase not in ACTIVE,
        "the furthest step is forgotten only where the sides rest in sync again": (
            after.furthest >= before.furthest or after.at == after.furthest == before.back_to
        ),
        "what stays in sync is not undone": after.back_to is None or after.at > after.back_to,
        "completed means that the last step ran": after.phase is not Phase.COMPLETED
        or after.at == len(after.recipe) - 1,
        "rolled back means that the first step was undone last": after.phase
        is not Phase.ROLLED_BACK
        or before.phase is Phase.REQUESTED
        or (after.at == 0 and not after.reopening),
        "a command is out exactly while a step is under way": (after.phase in ACTIVE)
        == (outstanding(after) is not None),
    }
    for law, holds in laws.items():
        if not holds:
            raise InvariantBroken(f"job {after.job}: expected that {law}; nothing was decided")


def _fits(row: Row, state: SagaState, event: SagaEvent) -> bool:
    return row.phase is state.phase and row.on is event.on and row.when(state, event)


def _words(
    before: SagaState, after: SagaState, event: SagaEvent, now: datetime
) -> dict[str, str | int]:
    asked = event if isinstance(event, Asked) else None
    wait_s = max(0.0, (after.due_at - now).total_seconds()) if after.due_at else 0.0
    return {
        "step": before.step.name,
        "steps": len(before.recipe),
        "said": event.said if isinstance(event, Answer) else "",
        "who": asked.who if asked else before.abort_asked_by,
        "what": asked.what if asked else "",
        "cause": after.cause,
        "wait": _seconds(wait_s),
    }


def _seconds(value: float) -> str:
    return f"{value:g} s"
