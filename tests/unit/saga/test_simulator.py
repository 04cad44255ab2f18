"""Thousands of random jobs: the laws hold, every row is used, and a mutant does not survive."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from shared.saga import machine
from shared.saga.conditions import past_pivot
from shared.saga.events import Answer, On, SagaEvent
from shared.saga.machine import Decision, InvariantBroken, advance
from shared.saga.state import Phase, SagaState, outstanding
from shared.saga.transitions import TABLE, Do, Row
from tests.unit.saga.simulator import Advance, Simulation

SEEDS = range(2000)


def test_the_laws_hold_over_thousands_of_random_jobs_and_every_row_is_used():
    used: set[object] = set()
    ends: dict[Phase, int] = {}
    for seed in SEEDS:
        simulation = Simulation(seed)
        end = simulation.run().phase
        used |= simulation.rows
        ends[end] = ends.get(end, 0) + 1
    assert [row for row in TABLE if row not in used] == []
    assert set(ends) >= {Phase.COMPLETED, Phase.ROLLED_BACK, Phase.REFUSED}


def believes_stale_answers(state: SagaState, event: SagaEvent, now: datetime) -> Decision:
    out = outstanding(state)
    if isinstance(event, Answer) and out is not None:
        event = replace(event, step=out.step, direction=out.direction, attempt=out.attempt,
                        epoch=out.epoch)  # fmt: skip
    return advance(state, event, now)


def with_row(wrong: Row, right: Row):
    """The machine with one row of the table changed."""

    def mutant(state: SagaState, event: SagaEvent, now: datetime) -> Decision:
        table = tuple(wrong if row is right else row for row in TABLE)
        original, machine.TABLE = machine.TABLE, table
        try:
            return advance(state, event, now)
        finally:
            machine.TABLE = original

    return mutant


def _row(phase: Phase, on: On, does: Do) -> Row:
    return next(row for row in TABLE if (row.phase, row.on, row.does) == (phase, on, does))


def skips_the_failed_step(state: SagaState, event: SagaEvent, now: datetime) -> Decision:
    decision = advance(state, event, now)
    if decision.row is not None and decision.row.does is Do.UNDO and state.furthest:
        return replace(decision, state=replace(decision.state, at=state.furthest - 1))
    return decision


FAILED = _row(Phase.FORWARD, On.FAILED, Do.UNDO)
GIVES_UP = _row(Phase.FORWARD, On.FAILED, Do.CALL)
TOO_LATE = _row(Phase.FORWARD, On.ABORT, Do.NOTHING)
HELD = _row(Phase.FORWARD, On.FAILED, Do.UNDO_HELD)
UNDONE = _row(Phase.BACKWARD, On.DONE, Do.UNDO_PREVIOUS)
RESTED = _row(Phase.BACKWARD, On.DONE, Do.REST)


MUTANTS = {
    "believes stale answers": believes_stale_answers,
    "does not undo the step that failed": skips_the_failed_step,
    "undoes behind the pivot": with_row(
        GIVES_UP._replace(to=Phase.BACKWARD, does=Do.UNDO), GIVES_UP
    ),
    "aborts behind the pivot": with_row(
        TOO_LATE._replace(to=Phase.BACKWARD, does=Do.UNDO), TOO_LATE
    ),
    "keeps traffic held": with_row(HELD._replace(to=Phase.STUCK, does=Do.CALL), HELD),
    "stops undoing half way": with_row(UNDONE._replace(to=Phase.ROLLED_BACK, does=Do.END), UNDONE),
    "undoes more than the cutover": with_row(
        RESTED._replace(to=Phase.BACKWARD, does=Do.UNDO_PREVIOUS), RESTED
    ),
    "calls a failure an end": with_row(
        GIVES_UP._replace(to=Phase.COMPLETED, does=Do.END), GIVES_UP
    ),
}


def _run_all(mutant: Advance) -> None:
    for seed in SEEDS:
        Simulation(seed, mutant).run()


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_dies(name):
    assert past_pivot in {TOO_LATE.when, GIVES_UP.when}
    with pytest.raises((AssertionError, InvariantBroken)):
        _run_all(MUTANTS[name])
