"""What the catalogs say about one database at one moment, as far as a mapping needs it.

Relations are known by oid and columns by (oid, attnum), so that a rename is seen as a rename.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SeenColumn:
    """One row of pg_attribute."""

    attnum: int
    name: str
    type_oid: int
    typmod: int
    type: str
    """As `format_type` prints it under an empty search_path."""
    category: str = "U"
    """`pg_type.typcategory`."""
    built_in: bool = True
    """The type, or its element type, lives in pg_catalog."""
    not_null: bool = False
    default: str | None = None
    """Deparsed under an empty search_path; None for generated columns."""
    generated: bool = False
    identity: bool = False
    collation: str | None = None
    """Qualified and quoted, when it is not the type's own."""
    never_null: bool = False
    """Its type is a domain that takes no NULL."""
    comparable: bool = True
    """Its type knows which values are equal."""


@dataclass(frozen=True, slots=True)
class SeenConstraint:
    """One row of pg_constraint, NOT NULL constraints left out."""

    name: str
    kind: str
    """`pg_constraint.contype`: c, f, p, u, x."""
    columns: tuple[int, ...]
    definition: str
    referenced: int = 0
    """Oid of the referenced table of a foreign key."""
    referenced_columns: tuple[int, ...] = ()
    condition: str | None = None
    """Of a CHECK: its expression, deparsed under an empty search_path."""
    oid: int = 0


@dataclass(frozen=True, slots=True)
class SeenIndex:
    """A unique index, valid and without a condition or an expression."""

    name: str
    columns: tuple[int, ...]
    primary: bool
    identity: bool
    """Chosen by REPLICA IDENTITY USING INDEX."""
    immediate: bool
    """Not DEFERRABLE: only such a one can name the rows for replication."""


@dataclass(frozen=True, slots=True)
class SeenPartialIndex:
    """A unique index, valid, with a condition or over an expression."""

    oid: int
    name: str
    columns: tuple[int, ...]
    """All that it reads."""
    text: str
    """Its definition from `USING` on, deparsed under an empty search_path."""


@dataclass(frozen=True, slots=True)
class SeenTrigger:
    """A trigger of the user's."""

    oid: int
    name: str
    enabled: str
    """`pg_trigger.tgenabled`: O, D, R, A."""
    on_update: bool
    text: str = ""
    """How it is made, and the body of its function."""


@dataclass(frozen=True, slots=True)
class SeenRelation:
    """One row of pg_class."""

    oid: int
    namespace: str
    name: str
    kind: str
    """`pg_class.relkind`: r, p, v, m, S, i, f ..."""
    owner: str = ""
    is_partition: bool = False
    persistent: bool = True
    replica_identity: str = "d"
    inherits: bool = False
    """Has or is a child table that is not a partition."""
    owned_by: int = 0
    """Of a sequence: the table whose column owns it."""
    hides_rows: bool = False
    """Its row security is forced, so it holds for its owner too."""
    shut: bool = False
    """From PostgreSQL 16 on rows are applied as the table's owner, for whom forced row security
    holds: the apply worker stops at such a table (worker.c, TargetPrivilegesCheck)."""
    nested: bool = False
    """A partition of it is partitioned itself."""
    root: int = 0
    """Of a partition: the table at the top, by oid."""
    columns: tuple[SeenColumn, ...] = ()
    constraints: tuple[SeenConstraint, ...] = ()
    indexes: tuple[SeenIndex, ...] = ()
    partial_indexes: tuple[SeenPartialIndex, ...] = ()
    triggers: tuple[SeenTrigger, ...] = ()

    @property
    def is_table(self) -> bool:
        return self.kind in "rp" and not self.is_partition

    def column(self, attnum: int) -> SeenColumn | None:
        return next((column for column in self.columns if column.attnum == attnum), None)

    def named(self, name: str) -> SeenColumn | None:
        return next((column for column in self.columns if column.name == name), None)

    @property
    def label(self) -> str:
        """For people: without the schema where it is the usual one."""
        return self.name if self.namespace == "public" else f"{self.namespace}.{self.name}"


@dataclass(frozen=True, slots=True)
class SeenDomain:
    """A domain of the user's; its own conditions and those of the domains below."""

    base: str
    """The type at the bottom."""
    never_null: bool
    conditions: tuple[str, ...]
    """Over VALUE, deparsed under an empty search_path."""


@dataclass(frozen=True, slots=True)
class SeenType:
    """A type that columns of tables hold, however deep: made of others or of labels, or not
    PostgreSQL's own."""

    name: str
    kind: str
    """`pg_type.typtype`: d, e, c, r, m, b; `a` for an array."""
    inner: tuple[int, ...]
    """Types that its values hold, by oid."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    relations: dict[int, SeenRelation] = field(default_factory=dict)
    types: dict[int, str] = field(default_factory=dict)
    """Qualified names of the types outside pg_catalog."""
    labels: dict[int, dict[int, str]] = field(default_factory=dict)
    """Of each enum type: its values by oid, so that a renamed value is seen as renamed."""
    domains: dict[int, SeenDomain] = field(default_factory=dict)
    composites: dict[int, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    """Composite types that columns of tables hold: name, and the types of the attributes."""
    structures: dict[int, SeenType] = field(default_factory=dict)

    def tables(self) -> list[SeenRelation]:
        """Permanent tables that are no partitions: what can be replicated through the root."""
        return [
            relation
            for relation in self.relations.values()
            if relation.is_table and relation.persistent
        ]
