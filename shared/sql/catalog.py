"""What exists in the database, as far as is known: read from a server, a schema file, or nothing.

The same object is carried forward through a migration file, statement by statement. `complete`
says whether absence means something: without a schema nothing can be called missing, and a
relation that the file names is presumed to be there, with rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from shared.sql.object_copies import CopiedWhenRead, alike, copied
from shared.sql.schema_objects import (
    Column,
    Constraint,
    Implying,
    Index,
    Key,
    Publication,
    Relation,
    Routine,
    UserType,
)
from shared.sql.triggers import EventTrigger


class Indexes(dict[Key, Index]):
    """Indexes by name that also know, roughly, which belong to a table: never too few."""

    def __init__(self) -> None:
        super().__init__()
        self._of: dict[Key, set[Key]] = {}

    def __setitem__(self, key: Key, index: Index) -> None:
        super().__setitem__(key, index)
        self._of.setdefault(index.table, set()).add(key)

    def of(self, table: Key) -> list[Index]:
        known = self._of.get(table)
        if known is None:
            return []
        return [self[key] for key in sorted(known) if key in self and self[key].table == table]


@dataclass(slots=True)
class Catalog:
    """All objects by (schema, name). `schemas` always holds `public`."""

    complete: bool = False
    from_server: bool = False
    relations: dict[Key, Relation] = field(default_factory=dict)
    indexes: Indexes = field(default_factory=Indexes)
    types: dict[Key, UserType] = field(default_factory=dict)
    routines: dict[Key, list[Routine]] = field(default_factory=dict)
    schemas: set[str] = field(default_factory=lambda: {"public"})
    extensions: set[str] = field(default_factory=set)
    available_extensions: frozenset[str] | None = None
    """What the server could install; None when no server was asked."""
    roles: set[str] | None = None
    """None when they are not known: a schema file does not hold them."""
    settings: dict[str, str] = field(default_factory=dict)
    """Settings of the server that matter: timezone."""
    new_schemas: set[str] = field(default_factory=set)
    event_triggers: dict[str, EventTrigger] = field(default_factory=dict)
    watched: bool = False
    """An event trigger may do something; False where none is, or all of them only tell."""
    implied: dict[tuple[Implying, str], frozenset[str]] = field(default_factory=dict)
    """What runs functions without being a call of them, by kind and name -> names of these."""
    renamed_routines: dict[str, frozenset[str]] = field(default_factory=dict)
    """Name that a routine had -> those that it was given: what runs it may know it by the old."""
    publications: dict[str, Publication] = field(default_factory=dict)
    pointed_at: dict[Key, set[Key]] = field(default_factory=dict)
    """Relation -> those that may point at it by a foreign key or read it as a view; a hint, never
    too few, so that finding them does not mean looking at every relation."""
    owned: dict[Key, set[Key]] = field(default_factory=dict)
    """Table -> sequences that may belong to a column of it: a hint of the same sort."""
    with_children: set[Key] = field(default_factory=set)
    """Relations that may have partitions or children."""

    def copy(self) -> Catalog:
        """One that can be changed without changing this; trees are shared, nobody changes them."""
        return self._copy({key: copied(each) for key, each in self.relations.items()})

    def kept(self) -> Catalog:
        """How this is now, whatever becomes of it: a relation is copied only when it is asked for
        here again."""
        made = self._copy(dict(self.relations))
        self.share()
        return made

    def share(self) -> None:
        """Somebody holds the relations, and must not see what becomes of them here."""
        self.relations = CopiedWhenRead(self.relations)

    def go_on(self) -> None:
        """Nobody else holds them any more."""
        if type(self.relations) is CopiedWhenRead:
            self.relations = dict(self.relations)

    def _copy(self, relations: dict[Key, Relation]) -> Catalog:
        made = replace(
            self,
            relations=relations,
            indexes=Indexes(),
            types={key: copied(each) for key, each in self.types.items()},
            routines={key: [alike(r) for r in each] for key, each in self.routines.items()},
            schemas=set(self.schemas),
            extensions=set(self.extensions),
            roles=None if self.roles is None else set(self.roles),
            settings=dict(self.settings),
            new_schemas=set(self.new_schemas),
            event_triggers=dict(self.event_triggers),
            implied=dict(self.implied),
            renamed_routines=dict(self.renamed_routines),
            publications={
                name: replace(each, schemas=set(each.schemas))
                for name, each in self.publications.items()
            },
            pointed_at={key: set(each) for key, each in self.pointed_at.items()},
            owned={key: set(each) for key, each in self.owned.items()},
            with_children=set(self.with_children),
        )
        for key, index in self.indexes.items():
            made.indexes[key] = alike(index)
        return made

    def note(self, relation: Relation) -> None:
        """Remember what a relation points at or belongs to, after that has changed."""
        if relation.owned_by is not None:
            self.owned.setdefault(relation.owned_by[0], set()).add(relation.key)
        targets = [c.refers_to for c in relation.constraints.values() if c.refers_to]
        for target in (*targets, *relation.reads):
            self.pointed_at.setdefault(target, set()).add(relation.key)
        if relation.children:
            self.with_children.add(relation.key)

    def _pointing(self, key: Key) -> list[Relation]:
        known = self.pointed_at.get(key)
        if known is None:
            return []
        return [self.relations[each] for each in sorted(known) if each in self.relations]

    def relation(self, schema: str | None, name: str, path: list[str]) -> Relation | None:
        if schema:
            return self.relations.get((schema, name))
        for each in path:
            if found := self.relations.get((each, name)):
                return found
        return None

    def index(self, schema: str | None, name: str, path: list[str]) -> Index | None:
        for each in _places(schema, path):
            if found := self.indexes.get((each, name)):
                return found
        return None

    def type(self, schema: str | None, name: str, path: list[str]) -> UserType | None:
        for each in _places(schema, path):
            if found := self.types.get((each, name)):
                return found
        return None

    def routines_named(self, schema: str | None, name: str, path: list[str]) -> list[Routine]:
        return [r for each in _places(schema, path) for r in self.routines.get((each, name), ())]

    def indexes_of(self, table: Key) -> list[Index]:
        return self.indexes.of(table)

    def indexes_over(self, relation: Relation) -> list[Index]:
        """Its indexes, with those that it has as a partition: its parents' cover it too."""
        found = self.indexes_of(relation.key)
        for key in relation.parents if relation.bound is not None else ():
            if parent := self.relations.get(key):
                found += [index for index in self.indexes_over(parent) if index.valid]
        return found

    def partitions_of(self, relation: Relation) -> list[Relation]:
        """All descendants, at every level."""
        found: list[Relation] = []
        for key in relation.children:
            if child := self.relations.get(key):
                found.append(child)
                if child.children:
                    found += self.partitions_of(child)
        return found

    def tied_to(self, relation: Relation, key: Key) -> list[Relation]:
        """Those that may name a relation by `key`, its own or the one it had before: itself,
        parents and children, views and foreign keys, sequences."""
        keys = {relation.key, *relation.parents, *relation.children}
        keys |= self.pointed_at.get(key, set()) | self.owned.get(key, set())
        return [self.relations[each] for each in sorted(keys) if each in self.relations]

    def readers_of(self, key: Key) -> list[Relation]:
        """Views and materialized views that read a relation directly."""
        if key not in self.pointed_at:
            return []
        return [relation for relation in self._pointing(key) if key in relation.reads]

    def referrers_of(self, key: Key) -> list[tuple[Relation, Constraint]]:
        """Foreign keys that point at a table."""
        if key not in self.pointed_at:
            return []
        return [
            (relation, constraint)
            for relation in self._pointing(key)
            for constraint in relation.constraints.values()
            if constraint.refers_to == key
        ]

    def sequences_of(self, key: Key) -> list[Relation]:
        """Sequences that belong to a column of a table."""
        if key not in self.owned:
            return []
        known = [self.relations.get(each) for each in sorted(self.owned[key])]
        return [s for s in known if s is not None and s.owned_by and s.owned_by[0] == key]

    def domains_over(self, key: Key) -> list[UserType]:
        """Domains that are made of a type, and those that are made of them."""
        direct = [t for t in self.types.values() if t.base is not None and t.base.key == key]
        return [each for one in direct for each in (one, *self.domains_over(one.key))]

    def columns_of_type(self, key: Key) -> list[tuple[Relation, Column]]:
        """Columns of the type, of arrays of it, and of the domains that are made of it."""
        keys = {key, *(each.key for each in self.domains_over(key))}
        return [
            (relation, column)
            for relation in self.relations.values()
            for column in (relation.columns or {}).values()
            if column.type.key in keys
        ]


def _places(schema: str | None, path: list[str]) -> list[str]:
    return [schema] if schema else path
