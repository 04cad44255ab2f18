"""Which of the server's counters of a subscription speak against its verdict."""

from __future__ import annotations

from shared.sql.conflicts import conflicts


def test_only_conflicts_that_were_met_and_are_none_of_the_forks_own_count() -> None:
    counters = {
        "subname": "bluegreen_forward", "apply_error_count": 3, "confl_insert_exists": 0,
        "confl_update_missing": 2, "confl_update_origin_differs": 40,
    }  # fmt: skip
    assert conflicts(counters) == {"confl_update_missing": 2}


def test_a_server_that_counts_none_says_nothing() -> None:
    assert conflicts(None) == {}
    assert conflicts({"subname": "bluegreen_forward", "apply_error_count": 0}) == {}
