"""Which constraints a file drops, by whatever statement, under the names that they began with."""

from __future__ import annotations

from shared.mapping.dropped_constraints import DroppedConstraints
from shared.mapping.snapshot import SeenConstraint, SeenRelation, Snapshot

TABLE = 7


def moment(**constraints: int) -> Snapshot:
    """A table that has these constraints, each with its oid."""
    seen = tuple(SeenConstraint(name, "c", (1,), "", oid=oid) for name, oid in constraints.items())
    return Snapshot({TABLE: SeenRelation(TABLE, "public", "t", "r", constraints=seen)})


def test_what_goes_with_something_else_is_dropped() -> None:
    dropped = DroppedConstraints()
    dropped.note(moment(a=1, b=2), moment(b=2))
    assert dropped.found == {TABLE: ("a",)}


def test_what_a_retype_makes_anew_is_not() -> None:
    dropped = DroppedConstraints()
    dropped.note(moment(a=1), moment(a=9))
    assert dropped.found == {}


def test_what_is_dropped_by_name_and_made_again_is() -> None:
    dropped = DroppedConstraints()
    dropped.note(moment(a=1), moment(a=9), TABLE, ("a",))
    assert dropped.found == {TABLE: ("a",)}


def test_a_renamed_one_is_known_by_its_first_name() -> None:
    dropped = DroppedConstraints()
    dropped.note(moment(a=1), moment(b=1))
    dropped.note(moment(b=1), moment(c=1))
    dropped.note(moment(c=1), moment())
    assert dropped.found == {TABLE: ("a",)}


def test_a_renamed_one_that_a_retype_made_anew_is_known_by_its_first_name() -> None:
    dropped = DroppedConstraints()
    dropped.note(moment(a=1), moment(b=1))
    dropped.note(moment(b=1), moment(b=8))
    dropped.note(moment(b=8), moment(), TABLE, ("b",))
    assert dropped.found == {TABLE: ("a",)}


def test_a_dropped_table_is_no_dropped_constraint() -> None:
    dropped = DroppedConstraints()
    dropped.note(moment(a=1), Snapshot())
    assert dropped.found == {}
