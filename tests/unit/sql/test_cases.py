"""The measured cases: what the validator says is what real servers did."""

from __future__ import annotations

import pytest

from tests.support.hazards import FALSE_ALARMS, RECALL, TEXT_RECALL, hazards
from tests.support.validator_agreement import FACTS, score
from tests.support.validator_cases import cases

FLOOR = {"bulk_dml": 0.99}
"""Agreement that was reached, per fact; all others agree in every case."""


@pytest.fixture(scope="module")
def result():
    return score(cases())


@pytest.mark.parametrize("fact", FACTS)
def test_a_fact_agrees_with_what_servers_did(result, fact):
    wrong = [d for d in result.disagreements if d.fact == fact]
    assert result.share(fact) >= FLOOR.get(fact, 1.0), wrong


def test_every_case_is_graded(result):
    assert result.graded["valid"] > 780
    assert result.graded["locks"] > 640


def test_hazardous_files_are_found_and_harmless_ones_are_not_suspected():
    found = hazards(cases())
    assert found.hazardous > 200
    assert found.harmless > 250
    assert found.recall >= RECALL
    assert found.false_alarms <= FALSE_ALARMS
    assert hazards(cases(), with_schema=False).recall >= TEXT_RECALL
