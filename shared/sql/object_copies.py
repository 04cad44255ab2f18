"""Copies of what a catalog holds, that can be changed without changing the first.

copy.copy takes five times as long, and every validation with a schema copies all of it.
"""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter
from typing import TypeVar

from shared.sql.schema_objects import Column, Constraint, Index, Relation, Routine, UserType

Whole = TypeVar("Whole", Relation, UserType)
Part = TypeVar("Part", Column, Constraint, Index, Routine)


def copied(each: Whole) -> Whole:
    """A copy with containers and parts of its own; trees are shared, nobody changes them."""
    kind = type(each)
    made = object.__new__(kind)
    for name, value in zip(kind.__slots__, _READ[kind](each), strict=True):
        setattr(made, name, value)
    for name in _HOLDING[kind]:
        value = getattr(made, name)
        if type(value) is dict:
            value = {key: _part(part) for key, part in value.items()} if value else {}
            setattr(made, name, value)
        elif value is not None:
            setattr(made, name, value.copy())
    return made


def _part(part: object) -> object:
    return alike(part) if type(part) in _PARTS else part  # type: ignore[type-var]


def alike(each: Part) -> Part:
    """A copy that holds the same."""
    kind = type(each)
    return kind(*_READ[kind](each))


_PARTS = frozenset({Column, Constraint})
_KINDS = (Column, Constraint, Index, Routine, Relation, UserType)
_READ = {kind: attrgetter(*kind.__slots__) for kind in _KINDS}
_HOLDING = {
    kind: tuple(f.name for f in fields(kind) if f.type.startswith(("dict[", "list[", "set[")))
    for kind in (Relation, UserType)
}
"""Fields that hold a container, as the dataclasses write their types."""
