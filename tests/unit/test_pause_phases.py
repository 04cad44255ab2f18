"""Phases are told in the order in which they came, whatever kept them."""

from __future__ import annotations

from shared.domain.pause_phases import PHASES, in_order


def test_what_a_json_object_has_shuffled_is_put_in_order_again() -> None:
    shuffled = {name: 1.0 for name in sorted(PHASES, key=lambda name: (len(name), name))}
    assert list(shuffled) != list(PHASES)
    assert list(in_order(shuffled)) == list(PHASES)


def test_a_phase_of_another_version_is_not_lost() -> None:
    assert list(in_order({"later": 2.0, "resume": 0.1, "pause": 3.0})) == [
        "pause", "resume", "later",
    ]  # fmt: skip
