"""The table itself: complete, reachable, and every row needed."""

from __future__ import annotations

from itertools import product

import pytest

from shared.saga.conditions import always
from shared.saga.effects import EFFECTS, SENDS
from shared.saga.events import On
from shared.saga.state import ACTIVE, GUARANTEES, Phase
from shared.saga.transitions import IGNORED, TABLE, Do

PAIRS = {(row.phase, row.on) for row in TABLE}


def test_every_pair_of_phase_and_event_is_a_row_or_is_ignored_on_purpose():
    assert set(product(Phase, On)) == PAIRS | IGNORED
    assert PAIRS.isdisjoint(IGNORED)


@pytest.mark.parametrize("pair", sorted(PAIRS))
def test_the_last_row_of_a_pair_always_fits_and_no_row_before_it_does(pair):
    conditions = [row.when for row in TABLE if (row.phase, row.on) == pair]
    assert conditions[-1] is always
    assert always not in conditions[:-1]
    assert len(set(conditions)) == len(conditions)


def test_every_phase_can_be_reached_and_only_the_ended_ones_are_never_left():
    reached = {Phase.REQUESTED} | {row.to for row in TABLE}
    left = {row.phase for row in TABLE}
    assert reached == set(Phase)
    assert set(Phase) - left == {Phase.COMPLETED, Phase.ROLLED_BACK, Phase.REFUSED}


def test_every_deed_is_used_and_has_its_function():
    assert {row.does for row in TABLE} == set(Do) == set(EFFECTS)


def test_a_command_goes_out_only_into_a_phase_in_which_a_step_is_under_way():
    assert all(row.to in ACTIVE for row in TABLE if row.does in SENDS)


def test_every_phase_says_what_it_guarantees():
    assert set(GUARANTEES) == set(Phase)
