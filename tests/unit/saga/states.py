"""States of a saga, reached as a job reaches them: by answers, requests and the clock."""

from __future__ import annotations

from datetime import UTC, datetime

from shared.saga.events import Accepted, Answer, Asked
from shared.saga.machine import advance
from shared.saga.recipes import (
    RISKY,
    Recipe,
)
from shared.saga.state import SagaState, outstanding

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
