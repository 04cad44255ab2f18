"""What stands in a schema, one object each, as far as is known: relations, types, routines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from shared.sql.grammar import Node
from shared.sql.names import shown
from shared.sql.triggers import Rule, Trigger

RelationKind = Literal["table", "view", "materialized view", "sequence", "index", "foreign table"]
Implying = Literal["operator", "cast", "aggregate", "domain", "parameter"]
"""What runs functions without being a call of them; `parameter`: a routine some of whose
parameters have a default."""
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
    always: bool = False
    """An identity GENERATED ALWAYS: only OVERRIDING SYSTEM VALUE writes another value."""
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
    calls: frozenset[str] = frozenset()
    """Functions that it calls, without their schemas."""
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
    own_columns: tuple[str, ...] = ()
    """Those that it has itself, by name, also the included ones; none where they are `columns`."""
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
class Publication:
    publishes: str = ""
    """The kinds of changes that it tells of, as they are written."""
    all_tables: bool = False
    schemas: set[str] = field(default_factory=set)
    """Those of which it holds every table."""


@dataclass(frozen=True, slots=True)
class Published:
    """A table that a publication names."""

    filters: frozenset[str] = frozenset()
    """Columns that its WHERE reads."""
    columns: frozenset[str] | None = None
    """Those that it tells; None for all."""


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
    statistics: set[Key] = field(default_factory=set)
    """Extended statistics over its columns."""
    published: dict[str, Published] = field(default_factory=dict)
    """Publication that names it -> what it tells of it."""
    replica_identity: str = "d"
    """`d` the primary key, `i` another unique index, `f` the whole row, `n` nothing."""
    owned_by: tuple[Key, str] | None = None
    """For sequences: the column that owns it."""
    new: bool = False
    """Made by the migration file itself: nobody else uses it yet."""
    filled: bool = False
    """New, and the file put rows into it."""
    presumed: bool = False
    """Not found anywhere: the file names it and it is taken to exist."""
    doubtful: bool = False
    """Made by CREATE TABLE IF NOT EXISTS, and no schema tells whether it was there before."""
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

    def be_there(self) -> None:
        """It was there before the file, with columns of its own."""
        self.new, self.presumed, self.doubtful, self.columns = False, True, False, None
        self.live = self.persistence != "t"

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
