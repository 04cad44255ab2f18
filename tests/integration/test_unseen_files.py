"""Files that were written after the rules: the report holds on real servers, within its bounds."""

from __future__ import annotations

import pytest

from tests.support.hazards import FALSE_ALARMS, RECALL, TEXT_RECALL
from tests.support.unseen_files import PAST_A_READER, SETS, measure

OLDER = ("first", "tenth", "eleventh")
"""Sets that are also run on older servers."""
FACTS = 0.97
"""Least agreement of locks, copies and waits."""
PAST = 0.98
"""Of those that try to get past a reader: two can only be refused, or not known to be safe."""
TEXT_DOUBTED = 0.96
"""Of hazardous files, from the text alone: named as such, or not known to be safe."""


NEWEST = [name for name in SETS if name != PAST_A_READER]


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("version", "which", "least"), [(15, OLDER, 400), (16, OLDER, 400), (18, NEWEST, 1400)]
)
def test_the_report_holds_on_unseen_files(version, which, least):
    found = measure(version, *(SETS[name] for name in which))
    assert found.graded["locks"] > least
    for fact, graded in found.graded.items():
        assert found.agreed[fact] >= FACTS * graded, found.disagreements
    assert found.hazards.recall >= RECALL, found.disagreements
    assert found.hazards.false_alarms <= FALSE_ALARMS, found.disagreements
    assert found.called_safe == []
    assert found.text_hazards.recall >= TEXT_RECALL
    assert found.text_doubted.recall >= TEXT_DOUBTED


@pytest.mark.timeout(300)
@pytest.mark.parametrize("version", [15, 18])
def test_what_tries_to_get_past_a_reader_is_not_called_safe(version):
    found = measure(version, SETS[PAST_A_READER])
    assert found.called_safe == []
    assert found.hazards.recall >= PAST, found.disagreements
    assert found.graded["locks"] > 140
