"""Renames never meet a name that is taken, and read backwards they lead back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.mapping.names import LANDING, MAX_BYTES, in_order, ours

names = st.lists(st.sampled_from("abcdefgh"), unique=True, min_size=1, max_size=8)


@given(names, st.permutations(list("abcdefghij")))
def test_every_move_goes_to_a_free_place_and_back(before: list[str], after: list[str]) -> None:
    wanted = dict(zip(before, after, strict=False))
    moves = in_order(wanted.items(), lambda name: f"spare {name}")
    held = {name: name for name in before}
    for source, target in moves:
        assert target not in held
        held[target] = held.pop(source)
    assert {origin: place for place, origin in held.items()} == wanted
    for target, source in reversed(moves):
        assert source in held
        assert target not in held
        held[target] = held.pop(source)
    assert held == {name: name for name in before}


@given(st.text(min_size=1), st.text(min_size=1))
def test_our_names_fit_and_differ_when_the_users_do(left: str, right: str) -> None:
    ours_left, ours_right = ours(LANDING, left), ours(LANDING, right)
    assert len(ours_left.encode()) <= MAX_BYTES
    assert (ours_left == ours_right) == (left == right)
