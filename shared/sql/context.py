"""The state that is carried through a file: catalog, settings, transaction block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from shared.sql.catalog import Catalog
from shared.sql.effects import Operation
from shared.sql.extensions import TYPES
from shared.sql.findings import Findings
from shared.sql.grammar import Node
from shared.sql.locks import Lock
from shared.sql.names import range_var, shown, split_name
from shared.sql.partition_indexes import made_with_partition
from shared.sql.savepoints import Savepoints
from shared.sql.schema_objects import Index, Key, Relation, RelationKind, Type
from shared.sql.source import Place
from shared.sql.step import Step
from shared.sql.types import BUILTIN, read_type, resolved


def note_extension(operation: Operation, extension: str) -> None:
    if extension not in operation.extensions:
        operation.extensions += (extension,)


@dataclass(slots=True, kw_only=True)
class Context(Findings):
    catalog: Catalog
    version: int
    """Major version of the server."""
    path: list[str] = field(default_factory=lambda: ["public"])
    settings: dict[str, str] = field(default_factory=dict)
    local_settings: dict[str, str] = field(default_factory=dict)
    block: int = 0
    """Number of the open transaction block, 0 outside."""
    blocks: int = 0
    block_place: Place | None = None
    rolled_back: set[int] = field(default_factory=set)
    """Blocks that end in ROLLBACK: nothing of them stays."""
    savepoints: Savepoints = field(default_factory=Savepoints)
    held: dict[str, Lock] = field(default_factory=dict)
    """Locks that the open block holds."""
    attached: dict[str, int] = field(default_factory=dict)
    """Table -> number of the block that made it a partition: until then its parent is apart."""
    fresh_values: bool = False
    """The open transaction added a value to an enum that was there before."""
    outer_path: list[str] | None = None
    """The search path to return to at the end of the block, after SET LOCAL."""
    look: Callable[[Context, str, Node], None] = field(default=lambda *_: None)
    """What looks at one statement (shared.sql.operations.registry); bodies are looked at by it."""
    only: bool = False
    """ALTER TABLE ONLY: partitions and children are left alone."""
    constants: dict[str, tuple[str, Node]] = field(default_factory=dict)
    """Variables of the body that is followed which hold a constant: (type, value)."""
    runs: Counter[str] = field(default_factory=Counter)
    """How often each routine was followed, or more."""
    transitions: frozenset[str] = frozenset()
    """Names that mean changed rows, not tables, in the trigger function that is followed."""
    new_columns: set[tuple[Key, str]] = field(default_factory=set)
    """Columns that the file added: nobody's values are in them yet."""
    not_written: set[str] = field(default_factory=set)
    """Materialized views that were locked so far: nobody writes them row by row."""
    renaming: list[Step] = field(default_factory=list)
    """Statements that give a table in use another name."""
    locked: bool = False
    """Something was locked already: whether with a lock_timeout, that statement says."""
    left: dict[tuple[Key, str], tuple[list[Node], list[Any]]] = field(default_factory=dict)
    """Of a column: the CHECKs of its table, and what they leave to it (partition_bounds)."""
    prepared: dict[str, Node] = field(default_factory=dict)
    """Statements that PREPARE gave a name."""
    planning: bool = False
    """The statement is planned and not run: it calls nothing and sets nothing off."""

    @contextmanager
    def planned(self) -> Iterator[None]:
        before, self.planning = self.planning, True
        try:
            yield
        finally:
            self.planning = before

    # ---- operations

    def family(self, relation: Relation) -> list[Relation]:
        """The table with all its partitions and children, which an ALTER TABLE reaches."""
        if self.only or not relation.children:
            return [relation]
        return [relation, *self.catalog.partitions_of(relation)]

    def operation(self, type_: str, *relations: Relation | None) -> Operation:
        """Begin one more operation of the statement that is looked at."""
        operation = Operation(type_)
        for relation in relations:
            if relation is not None:
                operation.touch(relation)
        step = self.step
        assert step is not None, "operations belong to a statement"
        step.operations.append(operation)
        return operation

    # ---- what names mean

    def schema_for(self, schema: str | None) -> str:
        """Where a new object without a schema goes."""
        if schema is not None:
            known = schema in self.catalog.schemas or schema.startswith("pg_")
            if self.catalog.complete and not known:
                self.error("catalog", f'schema "{schema}" does not exist')
            return schema
        return next((each for each in self.path if each in self.catalog.schemas), "public")

    @property
    def first_schema(self) -> str:
        return self.path[0] if self.path else "public"

    def find(self, node: Node) -> Relation | None:
        schema, name = range_var(node)
        if schema is None and name in self.transitions:
            return None
        return self.catalog.relation(schema, name, self.path)

    def relation(
        self, node: Node, *, missing_ok: bool = False, kind: RelationKind = "table"
    ) -> Relation | None:
        """The relation that a RangeVar names; a problem when it is known to be missing.

        Without a complete catalog an unknown one is presumed to be there.
        """
        schema, name = range_var(node)
        if schema is None and name in self.transitions:
            return None
        if found := self.catalog.relation(schema, name, self.path):
            return found
        return self._absent(schema, name, missing_ok, kind, node.get("location"))

    def named(
        self,
        schema: str | None,
        name: str,
        *,
        missing_ok: bool = False,
        kind: RelationKind = "table",
        at: int | None = None,
    ) -> Relation | None:
        if found := self.catalog.relation(schema, name, self.path):
            return found
        return self._absent(schema, name, missing_ok, kind, at)

    def _absent(
        self, schema: str | None, name: str, missing_ok: bool, kind: RelationKind, at: int | None
    ) -> Relation | None:
        """What is taken for a relation that is not in the catalog."""
        if schema in ("pg_catalog", "information_schema") or name.startswith("pg_"):
            return None
        if not self.catalog.complete:
            return self._presume(schema, name, kind)
        if not missing_ok:
            if schema is not None and schema not in self.catalog.schemas:
                self.error("catalog", f'schema "{schema}" does not exist', at=at)
            else:
                words = f'relation "{name if schema is None else schema + "." + name}"'
                self.error("catalog", f"{words} does not exist", at=at, remedy=self._like(name))
        return None

    def _presume(self, schema: str | None, name: str, kind: RelationKind) -> Relation:
        relation = Relation(schema or self.first_schema, name, kind, presumed=True)
        self.catalog.relations[relation.key] = relation
        self.cannot_see("no schema was given: tables are taken to exist, with rows and in use")
        return relation

    def stand_in(self, what: str) -> Relation | None:
        """For a table that only a schema could name: `the table of index i`; None with one."""
        if self.catalog.complete:
            return None
        self.cannot_see("no schema was given: tables are taken to exist, with rows and in use")
        return Relation("", what, known_as=what, presumed=True)

    def _like(self, name: str) -> str:
        """A hint where the same name stands in another schema or another case."""
        near = [
            r.shown
            for r in self.catalog.relations.values()
            if r.name == name or r.name.lower() == name.lower()
        ]
        return f"did you mean {' or '.join(near[:3])}?" if near else ""

    def index(self, items: list[Node], *, missing_ok: bool) -> Index | None:
        schema, name = split_name(items)
        return self.index_named(schema, name, missing_ok=missing_ok)

    def index_named(self, schema: str | None, name: str, *, missing_ok: bool) -> Index | None:
        found = self.catalog.index(schema, name, self.path)
        if found is None and self.catalog.with_children:
            places = [schema] if schema else self.path
            found = made_with_partition(self.catalog, places, name)
        if found is None and self.catalog.complete and not missing_ok:
            self.error("catalog", f'index "{shown(schema, name)}" does not exist')
        return found

    def index_of(self, relation: Relation, name: str) -> Index | None:
        """Its index of that name, also one that it has as a partition and no statement names."""
        found = self.catalog.indexes.get((relation.schema, name))
        if found is None and relation.bound is not None:
            found = made_with_partition(self.catalog, [relation.schema], name)
        return found if found is not None and found.table == relation.key else None

    def type_of(self, node: Node, operation: Operation | None = None) -> Type:
        """The type that a TypeName names, looked up; names the extension that brings it."""
        found = read_type(node)
        if found.schema is None and found.name in BUILTIN:
            return found
        found = resolved(found, self.catalog, self.path)
        if found.name in TYPES and operation is not None:
            note_extension(operation, TYPES[found.name])
        if found.schema is None and found.name not in BUILTIN and not node.get("pct_type"):
            self._unknown_type(found, node, operation)
        elif found.schema is not None and self.catalog.complete:
            known = found.key in self.catalog.types or found.key in self.catalog.relations
            if not known and found.schema not in ("pg_catalog", "information_schema"):
                self._unknown_type(found, node, operation)
        return found

    def _unknown_type(self, type_: Type, node: Node, operation: Operation | None) -> None:
        extension = TYPES.get(type_.name)
        if extension is not None:
            self.require(extension, f'type "{type_.name}"', operation, node.get("location"))
        elif self.catalog.complete and not self.catalog.relation(
            type_.schema, type_.name, self.path
        ):
            self.error("catalog", f'type "{type_}" does not exist', at=node.get("location"))

    def require(
        self, extension: str, what: str, operation: Operation | None, at: int | None = None
    ) -> None:
        """`what` comes from an extension: note it, and say so where it is not installed."""
        if operation is not None:
            note_extension(operation, extension)
        if self.catalog.complete and extension not in self.catalog.extensions:
            self.error(
                "extension",
                f"{what} comes with the extension {extension}, which is not installed",
                at=at,
                remedy=f'put CREATE EXTENSION IF NOT EXISTS "{extension}"; before it',
            )

    # ---- settings

    def setting(self, name: str) -> str | None:
        return self.local_settings.get(name) or self.settings.get(name)
