"""What exists in the database, as far as is known: read from a server, a schema file, or nothing.

The same object is carried forward through a migration file, statement by statement. `complete`
says whether absence means something: without a schema nothing can be called missing, and a
relation that the file names is presumed to be there, with rows.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

from shared.sql.grammar import Node
from shared.sql.names import shown
from shared.sql.triggers import Rule, Trigger

RelationKind = Literal["table", "view", "materialized view", "sequence", "index", "foreign table"]
ConstraintKind = Literal["check", "foreign key", "unique", "primary key", "exclude", "not null"]
Key = tuple[str, str]
"""(schema, name)"""


@dataclass(frozen=True, slots=True)
class Type:
    """A type as a column has it. `schema` is None for PostgreSQL's own."""

    name: str
    """Canonical: int4, varchar, bpchar, timestamptz, or the user's name."""
    schema: str | None = None
    mods: tuple[int, ...] = ()
    array: bool = False

    @property
    def key(self) -> Key:
        return (self.schema or "pg_catalog", self.name)

    def __str__(self) -> str:
        mods = f"({','.join(map(str, self.mods))})" if self.mods else ""
        return f"{shown(self.schema, self.name)}{mods}{'[]' if self.array else ''}"


@dataclass(slots=True)
class Column:
    name: str
    type: Type
    not_null: bool = False
    has_default: bool = False
    default: Node | None = None
    generated: str = ""
    """`s` stored, `v` virtual; empty when the column is stored as given."""
    reads: frozenset[str] = frozenset()
    """Columns that the generation expression reads."""
    calls: frozenset[str] = frozenset()
    """Functions that it calls, without their schemas."""
    identity: bool = False
    sequence: Key | None = None
    """The sequence that its default draws from (serial)."""
    collation: str | None = None


@dataclass(slots=True)
class Constraint:
    name: str
    kind: ConstraintKind
    columns: tuple[str, ...] = ()
    valid: bool = True
    enforced: bool = True
    expression: Node | None = None
    refers_to: Key | None = None
    refers_columns: tuple[str, ...] = ()
    deferrable: bool = False
    on_delete: str = "a"
    """For foreign keys: `a` no action, `r` restrict, `c` cascade, `n` set null, `d` set default."""
    on_update: str = "a"
    """The same of a change of the key that it points at."""


@dataclass(slots=True)
class Index:
    schema: str
    name: str
    table: Key
    columns: tuple[str, ...] = ()
    """Columns that it reads, also inside expressions and its predicate."""
    calls: frozenset[str] = frozenset()
    """Functions that it calls there, without their schemas."""
    unique: bool = False
    plain: bool = True
    """Every key is a bare column and there is no predicate."""
    constraint: str | None = None
    valid: bool = True
    parent: Key | None = None
    method: str = ""
    """Access method whose default operator classes all its keys use; empty when not known."""


@dataclass(slots=True)
class Relation:
    schema: str
    name: str
    kind: RelationKind = "table"
    columns: dict[str, Column] | None = None
    """None when they are not known."""
    constraints: dict[str, Constraint] = field(default_factory=dict)
    persistence: str = "p"
    """`p` permanent, `u` unlogged, `t` temporary."""
    partition_key: tuple[str, ...] | None = None
    """Columns of the key; None for a table that is not partitioned."""
    partition_strategy: str = ""
    """`l` list, `r` range, `h` hash."""
    parents: list[Key] = field(default_factory=list)
    children: list[Key] = field(default_factory=list)
    clustered_on: str | None = None
    access_method: str = "heap"
    tablespace: str = "pg_default"
    bound: Node | None = None
    """How a partition is bounded: the tree of FOR VALUES .. or DEFAULT."""
    reads: dict[Key, frozenset[str] | None] = field(default_factory=dict)
    """For views: the relations they read, with the columns (None: not known which)."""
    calls: frozenset[str] = frozenset()
    """For views: the functions they call, without their schemas."""
    of_type: Key | None = None
    """The composite type that a typed table is made of."""
    triggers: dict[str, Trigger] = field(default_factory=dict)
    rules: dict[str, Rule] = field(default_factory=dict)
    triggers_off: bool = False
    """After DISABLE TRIGGER ALL: foreign keys are not checked either."""
    policies: dict[str, frozenset[str]] = field(default_factory=dict)
    """Policy -> columns that it reads."""
    row_security: bool = False
    replica_identity: str = "d"
    """`d` the primary key, `i` another unique index, `f` the whole row, `n` nothing."""
    owned_by: tuple[Key, str] | None = None
    """For sequences: the column that owns it."""
    new: bool = False
    """Made by the migration file itself: nobody else uses it yet."""
    presumed: bool = False
    """Not found anywhere: the file names it and it is taken to exist."""
    known_as: str = ""
    """The name it had before the file renamed it; empty when it was not renamed."""
    size_bytes: int | None = None
    writes_per_s: float | None = None
    key: Key = field(init=False)
    shown: str = field(init=False)
    label: str = field(init=False)
    """The name that people outside the file know it by."""
    live: bool = field(init=False)
    """Whether it was there, and in use, before the file ran."""

    def __post_init__(self) -> None:
        self.live = not self.new and self.persistence != "t"
        self._name()

    def _name(self) -> None:
        self.key = (self.schema, self.name)
        self.shown = shown(self.schema, self.name)
        self.label = self.known_as or self.shown

    def move(self, schema: str, name: str) -> None:
        """Give it another name; people outside the file go on knowing it by the first."""
        if self.live and not self.known_as:
            self.known_as = self.shown
        self.schema, self.name = schema, name
        self._name()

    @property
    def stored(self) -> bool:
        """Whether rows of its own lie in a file: not for views and partitioned parents."""
        return self.kind in ("table", "materialized view") and self.partition_key is None


@dataclass(slots=True)
class UserType:
    schema: str
    name: str
    kind: Literal["enum", "domain", "composite", "range", "base"]
    labels: list[str] = field(default_factory=list)
    fresh_labels: set[str] = field(default_factory=set)
    """Enum values added in the transaction that is open: not usable before its commit."""
    base: Type | None = None
    constrained: bool = False
    constraints: set[str] = field(default_factory=set)
    attributes: dict[str, Type] = field(default_factory=dict)
    new: bool = False
    new_in_block: bool = False

    @property
    def key(self) -> Key:
        return (self.schema, self.name)


@dataclass(slots=True)
class Routine:
    schema: str
    name: str
    kind: Literal["function", "procedure", "aggregate"] = "function"
    arguments: tuple[str, ...] = ()
    returns: str = ""
    volatility: Literal["immutable", "stable", "volatile"] = "volatile"
    language: str = ""
    body: str | None = None
    definition: str = ""
    new: bool = False


class Indexes(dict[Key, Index]):
    """Indexes by name that also know, roughly, which belong to a table: never too few."""

    def __init__(self) -> None:
        super().__init__()
        self._of: dict[Key, set[Key]] = {}

    def __setitem__(self, key: Key, index: Index) -> None:
        super().__setitem__(key, index)
        self._of.setdefault(index.table, set()).add(key)

    def of(self, table: Key) -> list[Index]:
        if table not in self._of:
            return []
        found = [self[key] for key in sorted(self._of.get(table, ())) if key in self]
        return [index for index in found if index.table == table]


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
    event_triggers: set[str] = field(default_factory=set)
    pointed_at: dict[Key, set[Key]] = field(default_factory=dict)
    """Relation -> those that may point at it by a foreign key or read it as a view; a hint, never
    too few, so that finding them does not mean looking at every relation."""
    owned: dict[Key, set[Key]] = field(default_factory=dict)
    """Table -> sequences that may belong to a column of it: a hint of the same sort."""
    with_children: set[Key] = field(default_factory=set)
    """Relations that may have partitions or children."""

    def copy(self) -> Catalog:
        """One that can be changed without changing this; trees are shared, nobody changes them."""
        made = replace(
            self,
            relations={key: _copied(each) for key, each in self.relations.items()},
            indexes=Indexes(),
            types={key: _copied(each) for key, each in self.types.items()},
            routines={key: [copy.copy(r) for r in each] for key, each in self.routines.items()},
            schemas=set(self.schemas),
            extensions=set(self.extensions),
            roles=None if self.roles is None else set(self.roles),
            settings=dict(self.settings),
            new_schemas=set(self.new_schemas),
            event_triggers=set(self.event_triggers),
            pointed_at={key: set(each) for key, each in self.pointed_at.items()},
            owned={key: set(each) for key, each in self.owned.items()},
            with_children=set(self.with_children),
        )
        for key, index in self.indexes.items():
            made.indexes[key] = copy.copy(index)
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
        if not relation.children:
            return []
        found: list[Relation] = []
        for key in relation.children:
            if child := self.relations.get(key):
                found += [child, *self.partitions_of(child)]
        return found

    def readers_of(self, key: Key) -> list[Relation]:
        """Views and materialized views that read a relation directly."""
        return [relation for relation in self._pointing(key) if key in relation.reads]

    def referrers_of(self, key: Key) -> list[tuple[Relation, Constraint]]:
        """Foreign keys that point at a table."""
        return [
            (relation, constraint)
            for relation in self._pointing(key)
            for constraint in relation.constraints.values()
            if constraint.refers_to == key
        ]

    def sequences_of(self, key: Key) -> list[Relation]:
        """Sequences that belong to a column of a table."""
        known = [self.relations.get(each) for each in sorted(self.owned.get(key, ()))]
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


T = TypeVar("T", Relation, UserType)


def _copied(each: T) -> T:
    """A copy with containers and parts of its own."""
    made = copy.copy(each)
    for name in each.__slots__:
        value = getattr(each, name)
        if isinstance(value, dict) and name != "bound":
            setattr(made, name, {key: _part(part) for key, part in value.items()})
        elif isinstance(value, list | set):
            setattr(made, name, copy.copy(value))
    return made


def _part(part: object) -> object:
    return copy.copy(part) if isinstance(part, Column | Constraint) else part


def _places(schema: str | None, path: list[str]) -> list[str]:
    return [schema] if schema else path
