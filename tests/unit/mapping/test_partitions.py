"""Partitions travel by themselves only where both sides have the same ones, found by their key."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.mapping.name_states import Name
from shared.mapping.partitions import partitions_by_themselves, partitions_of
from shared.mapping.snapshot import SeenConstraint, SeenIndex, SeenRelation, Snapshot

KEY = SeenIndex("days_pkey", (1, 2), primary=True, identity=False, immediate=True)
ROOT = SeenRelation(1, "public", "days", "p", indexes=(KEY,))
MIDDLE = SeenRelation(2, "public", "days_late", "p", is_partition=True, root=1)
EARLY = SeenRelation(3, "public", "days_early", "r", is_partition=True, root=1)
LATE = SeenRelation(4, "old", "days_late_1", "r", is_partition=True, root=1)
ALL = (ROOT, MIDDLE, EARLY, LATE)
FOREIGN = SeenConstraint("fk", "f", (1,), "FOREIGN KEY ..", referenced=9, referenced_columns=(1,))


def seen(*relations: SeenRelation) -> Snapshot:
    return Snapshot({relation.oid: relation for relation in relations})


def found(before: tuple[SeenRelation, ...], after: tuple[SeenRelation, ...]) -> list[Name]:
    return partitions_by_themselves(before[0], after[0], seen(*before), seen(*after))


def test_the_same_partitions_on_both_sides_travel_by_themselves() -> None:
    wider = replace(ROOT, name="by_day")
    both = [Name("old", "days_late_1"), Name("public", "days_early")]
    assert found(ALL, (wider, MIDDLE, EARLY, LATE)) == both
    assert partitions_of(ROOT, seen(*ALL)) == both


@pytest.mark.parametrize(
    "changed",
    [
        (ROOT, MIDDLE, EARLY),
        (ROOT, MIDDLE, replace(EARLY, name="days_first"), LATE),
        (ROOT, MIDDLE, EARLY, LATE, replace(EARLY, oid=5, name="days_next")),
        (ROOT, MIDDLE, EARLY, replace(LATE, kind="f")),
        (ROOT, MIDDLE, EARLY, replace(LATE, persistent=False)),
        (ROOT, MIDDLE, EARLY, replace(LATE, replica_identity="f")),
        (replace(ROOT, indexes=(replace(KEY, columns=(1, 3)),)), MIDDLE, EARLY, LATE),
        (replace(ROOT, replica_identity="i"), MIDDLE, EARLY, LATE),
        (replace(ROOT, constraints=(FOREIGN,)), MIDDLE, EARLY, LATE),
        (replace(ROOT, kind="r"),),
    ],
)
def test_anything_else_goes_through_the_root(changed: tuple[SeenRelation, ...]) -> None:
    assert found(ALL, changed) == []
    assert found(changed, ALL) == []


@pytest.mark.parametrize("without", [{"indexes": ()}, {"replica_identity": "f"}])
def test_without_a_key_on_both_sides_it_goes_through_the_root(without: dict[str, object]) -> None:
    keyless = (replace(ROOT, **without), *ALL[1:])  # type: ignore[arg-type]
    assert found(keyless, keyless) == []


def test_a_plain_table_has_none() -> None:
    plain = replace(ROOT, kind="r")
    assert found((plain,), (plain,)) == []
    assert partitions_of(plain, seen(plain)) == []
