"""Copies of what a catalog holds, that can be changed without changing the first.

copy.copy takes five times as long, and every validation with a schema copies all of it.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, ValuesView
from dataclasses import fields
from operator import attrgetter
from typing import Any, TypeVar

from shared.sql.schema_objects import Column, Constraint, Index, Key, Relation, Routine, UserType

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


class CopiedWhenRead(dict[Key, Relation]):
    """Relations that somebody else holds too: each is copied before it is given out, so that what
    changes it here changes it nowhere else."""

    __slots__ = ("_shared",)

    def __init__(self, relations: dict[Key, Relation]) -> None:
        super().__init__(relations)
        self._shared = set(relations)

    def get(self, key: Key, default: Any = None) -> Any:
        self._own((key,))
        return super().get(key, default)

    def __getitem__(self, key: Key) -> Relation:
        self._own((key,))
        return super().__getitem__(key)

    def setdefault(self, key: Key, default: Any = None) -> Any:
        self._own((key,))
        return super().setdefault(key, default)

    def pop(self, key: Key, *default: Any) -> Any:
        self._own((key,))
        return super().pop(key, *default)

    def __setitem__(self, key: Key, relation: Relation) -> None:
        self._shared.discard(key)
        super().__setitem__(key, relation)

    def __delitem__(self, key: Key) -> None:
        self._shared.discard(key)
        super().__delitem__(key)

    def values(self) -> ValuesView[Relation]:  # type: ignore[override]
        self._own(tuple(self._shared))
        return super().values()

    def items(self) -> ItemsView[Key, Relation]:  # type: ignore[override]
        self._own(tuple(self._shared))
        return super().items()

    def _own(self, keys: Iterable[Key]) -> None:
        for key in keys:
            if key in self._shared:
                self._shared.remove(key)
                super().__setitem__(key, copied(super().__getitem__(key)))
