"""confirm complains about what is new, and not about what was usual."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from workers.health_monitor.confirm_verdict import Evidence, Traffic, complaints, passed

USUAL = Evidence(
    before=Traffic(10_000, 10),
    after=Traffic(2_000, 2),
    errors_before={"23505": 4},
    errors_after={"23505": 1},
    words={"23505": "duplicate key"},
    door_before_ms=[4.0, 5.0, 9.0],
    door_after_ms=[5.0, 6.0, 5.0],
)


def why(**changed: Any) -> str:
    accept = changed.pop("accept", False)
    errors = changed.get("errors_after", {})
    words = {code: "said so" for code in errors}
    return "; ".join(
        complaints(
            replace(USUAL, **{"words": words or USUAL.words, **changed}),
            accept_broken_statements=accept,
        )
    )


def test_usual_traffic_is_well() -> None:
    assert why() == ""


@pytest.mark.parametrize(
    "before",
    [Traffic(10_000, 0), Traffic(10_000, 10), Traffic(0, 0), None],
)
def test_every_transaction_rolling_back_is_seen_whatever_was_before(before: Traffic | None) -> None:
    assert "200 of 200 transactions rolled back" in why(before=before, after=Traffic(0, 200))


def test_an_application_that_always_rolls_back_is_well() -> None:
    assert why(before=Traffic(5_000, 5_000), after=Traffic(990, 1_010)) == ""


def test_one_percent_of_failing_transactions_is_seen() -> None:
    assert "rolled back" in why(before=Traffic(10_000, 0), after=Traffic(1_980, 20))


def test_a_new_class_of_errors_is_named_with_its_words() -> None:
    assert why(errors_after={"P0001": 2}) == "2 errors P0001 since the change, 0 before: said so"


def test_a_class_that_was_there_before_is_usual() -> None:
    assert why(errors_before={"P0001": 1}, errors_after={"P0001": 9}) == ""


@pytest.mark.parametrize("code", ["28000", "57P01", "08006", "53300"])
def test_logins_that_the_cutover_ended_are_no_fault_of_the_change(code: str) -> None:
    assert why(errors_after={code: 50}) == ""


def test_constraint_errors_count_only_when_they_multiply() -> None:
    assert why(errors_after={"23502": 4}) == ""
    assert "5 errors 23502" in why(errors_after={"23502": 5})
    assert why(errors_before={"23505": 4}, errors_after={"23505": 20}) == ""
    assert "21 errors 23505" in why(errors_before={"23505": 4}, errors_after={"23505": 21})


def test_broken_statements_that_were_accepted_are_ignored() -> None:
    assert "42703" in why(errors_after={"42703": 3})
    assert why(errors_after={"42703": 3, "42P01": 3}, accept=True) == ""


def test_a_door_that_does_not_answer_or_is_slow_is_seen() -> None:
    assert why(door_after_ms=[5.0, None, 5.0, 5.0]) == ""
    assert "did not answer 2 of 3 times" in why(door_after_ms=[5.0, None, None])
    assert "needs 900 ms, before it was 5 ms" in why(door_after_ms=[900.0, 900.0, 5.0])
    assert why(door_before_ms=[400.0], door_after_ms=[900.0, 900.0, 900.0]) == ""


def test_counters_that_began_anew_say_nothing_of_before() -> None:
    """A server that crashed between the two looks; the difference would be less than nothing."""
    assert passed(Traffic(500, 3), Traffic(540, 4)) == Traffic(40, 1)
    assert passed(Traffic(500, 0), Traffic(12, 0)) is None
    assert passed(Traffic(500, 3), Traffic(700, 1)) is None
