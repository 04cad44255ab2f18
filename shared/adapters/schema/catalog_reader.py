"""The live catalog of a server as the validator's Catalog, with sizes and traffic.

Types, expressions and bounds are printed by the server under an empty search_path and read back
by the grammar, so that a live catalog and one built from a schema file are the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache

from shared.adapters.named_queries import named_queries
from shared.ports import Row, Session
from shared.sql import grammar
from shared.sql.catalog import (
    Catalog,
    Column,
    Constraint,
    ConstraintKind,
    Index,
    Key,
    Relation,
    RelationKind,
    Routine,
    Type,
    UserType,
)
from shared.sql.definitions import index_columns
from shared.sql.expressions import called
from shared.sql.expressions import columns as columns_of
from shared.sql.grammar import Node, SyntaxProblem
from shared.sql.triggers import Rule, Trigger, read_rule, read_trigger
from shared.sql.types import read_type

QUERIES = named_queries(__file__, "catalog_reader.sql")

_RELATION_KINDS: dict[str, RelationKind] = {
    "r": "table",
    "p": "table",
    "v": "view",
    "m": "materialized view",
    "S": "sequence",
    "f": "foreign table",
}
_CONSTRAINT_KINDS: dict[str, ConstraintKind] = {
    "c": "check",
    "f": "foreign key",
    "p": "primary key",
    "u": "unique",
    "x": "exclude",
    "n": "not null",
}
_VOLATILITY = {"i": "immutable", "s": "stable", "v": "volatile"}
_ROUTINE_KINDS = {"f": "function", "p": "procedure", "a": "aggregate", "w": "function"}


def read_catalog(session: Session) -> tuple[Catalog, int]:
    """Everything the validator asks for, and the server's major version; one transaction."""
    with _plain_names(session):
        return _Reading(session).read()


@contextmanager
def _plain_names(session: Session) -> Iterator[None]:
    with session.transaction():
        session.value("SELECT set_config('search_path', '', true)")
        yield


class _Reading:
    """One pass over the catalogs; relations are known by oid until the end."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._by_oid: dict[int, Relation] = {}
        self._catalog = Catalog(complete=True, from_server=True)

    def read(self) -> tuple[Catalog, int]:
        version, time_zone, seconds = self._rows("server")[0]
        self._catalog.settings["timezone"] = time_zone
        self._names()
        self._relations(max(seconds, 1.0))
        self._columns()
        self._constraints()
        self._indexes()
        self._dependencies()
        self._types()
        self._routines()
        for relation in self._catalog.relations.values():
            self._catalog.note(relation)
        return self._catalog, version

    def _rows(self, name: str) -> list[Row]:
        return self._session.rows(QUERIES[name])

    def _names(self) -> None:
        schemas, roles, extensions, available, event_triggers = self._rows("names")[0]
        self._catalog.schemas = set(schemas)
        self._catalog.roles = set(roles)
        self._catalog.extensions = set(extensions or ())
        self._catalog.available_extensions = frozenset(available or ())
        self._catalog.event_triggers = set(event_triggers or ())

    def _relations(self, seconds: float) -> None:
        for (
            oid,
            schema,
            name,
            kind,
            persistence,
            secured,
            strategy,
            key,
            bound,
            size,
            writes,
            identity,
            made_of,
        ) in self._rows("relations"):
            relation = Relation(
                schema,
                name,
                _RELATION_KINDS[kind],
                columns={} if kind != "S" else None,
                persistence=persistence,
                partition_key=tuple(key or ()) if kind == "p" else None,
                partition_strategy=strategy or "",
                bound=_bound(bound) if bound else None,
                row_security=secured,
                replica_identity=identity,
                of_type=_type(made_of).key if made_of else None,
                size_bytes=size,
                writes_per_s=writes / seconds if writes is not None else None,
            )
            self._by_oid[oid] = relation
            self._catalog.relations[relation.key] = relation

    def _columns(self) -> None:
        for (
            oid,
            name,
            type_,
            not_null,
            has_default,
            default,
            generated,
            identity,
            collation,
        ) in self._rows("columns"):
            relation = self._by_oid.get(oid)
            if relation is None or relation.columns is None:
                continue
            expression = _expression(default)
            relation.columns[name] = Column(
                name,
                _type(type_),
                not_null=not_null,
                has_default=has_default or bool(identity),
                default=None if generated else expression,
                generated=generated,
                reads=columns_of(expression) if generated else frozenset(),
                calls=called(expression) if generated else frozenset(),
                identity=bool(identity),
                collation=collation,
            )

    def _constraints(self) -> None:
        for row in self._rows("constraints"):
            oid, name, kind, valid, enforced, deferrable, on_delete, on_update = row[:8]
            names, target, target_names, expression = row[8:]
            relation = self._by_oid.get(oid)
            if relation is None:
                continue
            refers_to = self._by_oid.get(target) if target else None
            relation.constraints[name] = Constraint(
                name,
                _CONSTRAINT_KINDS[kind],
                tuple(names or ()),
                valid=valid,
                enforced=enforced,
                expression=_expression(expression),
                refers_to=refers_to.key if refers_to is not None else None,
                refers_columns=tuple(target_names or ()),
                deferrable=deferrable,
                on_delete=on_delete.strip() or "a",
                on_update=on_update.strip() or "a",
            )

    def _indexes(self) -> None:
        for (
            schema,
            name,
            table,
            unique,
            valid,
            text,
            constraint,
            parent_schema,
            parent,
        ) in self._rows("indexes"):
            relation = self._by_oid.get(table)
            if relation is None:
                continue
            node = grammar.parse(text.encode())[0]["stmt"]["IndexStmt"]
            params = node.get("indexParams", ())
            self._catalog.indexes[(schema, name)] = Index(
                schema,
                name,
                relation.key,
                index_columns(params, node.get("whereClause")),
                called(*(p["IndexElem"].get("expr") for p in params), node.get("whereClause")),
                unique=unique,
                plain="whereClause" not in node and all("name" in p["IndexElem"] for p in params),
                constraint=constraint,
                valid=valid,
                parent=(parent_schema, parent) if parent else None,
            )

    def _dependencies(self) -> None:
        """Who belongs to, reads or runs whom; an oid that is not here is a system's own."""
        known = self._by_oid
        for child, parent in self._rows("parents"):
            if child in known and parent in known:
                known[child].parents.append(known[parent].key)
                if known[child].bound is not None:
                    known[parent].children.append(known[child].key)
        for sequence, table, column in self._rows("owned"):
            if sequence in known and table in known:
                known[sequence].owned_by = (known[table].key, column)
        self._views()
        self._on_tables()

    def _views(self) -> None:
        reads: dict[tuple[int, int], set[str]] = defaultdict(set)
        for view, source, column in self._rows("reads"):
            reads[view, source] |= {column} if column else set()
        calls: dict[int, set[str]] = defaultdict(set)
        for view, function in self._rows("calls"):
            calls[view].add(function)
        for view, called_there in calls.items():
            if view in self._by_oid:
                self._by_oid[view].calls = frozenset(called_there)
        for (view, source), names in reads.items():
            if view in self._by_oid and source in self._by_oid:
                self._by_oid[view].reads[self._by_oid[source].key] = frozenset(names)

    def _on_tables(self) -> None:
        for table, name, schema, function, fires, text in self._rows("triggers"):
            if table in self._by_oid:
                found = replace(_trigger((schema, function), text), enabled=fires)
                self._by_oid[table].triggers[name] = found
        for table, name, fires, text in self._rows("rules"):
            if table in self._by_oid:
                self._by_oid[table].rules[name] = replace(_rule(text), enabled=fires)
        for table, name, using, check in self._rows("policies"):
            if table in self._by_oid:
                read = columns_of(_expression(using)) | columns_of(_expression(check))
                self._by_oid[table].policies[name] = read

    def _types(self) -> None:
        kinds = {"e": "enum", "d": "domain", "c": "composite", "r": "range"}
        for schema, name, kind, labels, base, not_null, constraints in self._rows("types"):
            found = UserType(schema, name, kinds.get(kind, "base"))  # type: ignore[arg-type]
            found.labels = list(labels or ())
            found.base = _type(base) if base else None
            found.constraints = set(constraints or ())
            found.constrained = bool(not_null or constraints)
            self._catalog.types[found.key] = found

    def _routines(self) -> None:
        for schema, name, kind, arguments, returns, volatility, language, body, text in self._rows(
            "routines"
        ):
            key: Key = (schema, name)
            routine = Routine(
                schema,
                name,
                kind=_ROUTINE_KINDS[kind],  # type: ignore[arg-type]
                arguments=tuple(str(_type(each)) for each in arguments or ()),
                returns=_returns(returns),
                volatility=_VOLATILITY[volatility],  # type: ignore[arg-type]
                language=language,
                body=body,
                definition=text or "",
            )
            self._catalog.routines.setdefault(key, []).append(routine)


@cache
def _type(text: str) -> Type:
    """What format_type printed, read back."""
    try:
        tree = grammar.parse(f"SELECT NULL::{text}".encode())
    except SyntaxProblem:
        return Type(text)
    target = tree[0]["stmt"]["SelectStmt"]["targetList"][0]["ResTarget"]["val"]
    found = read_type(target["TypeCast"]["typeName"])
    return found


def _returns(text: str | None) -> str:
    if not text:
        return ""
    if text.startswith("TABLE("):
        return "setof record"
    bare = text.removeprefix("SETOF ")
    return f"setof {_type(bare)}" if bare != text else str(_type(text))


def _expression(text: str | None) -> Node | None:
    if not text:
        return None
    try:
        tree = grammar.parse(f"SELECT {text}".encode())
    except SyntaxProblem:
        return None
    found: Node = tree[0]["stmt"]["SelectStmt"]["targetList"][0]["ResTarget"]["val"]
    return found


def _trigger(function: Key, text: str) -> Trigger:
    """`text` is the CREATE TRIGGER that pg_get_triggerdef printed."""
    node = grammar.parse(text.encode())[0]["stmt"]["CreateTrigStmt"]
    return read_trigger(node, function)


def _rule(text: str) -> Rule:
    """`text` is the CREATE RULE that pg_get_ruledef printed."""
    return read_rule(grammar.parse(text.encode())[0]["stmt"]["RuleStmt"])


def _bound(text: str) -> Node:
    tree = grammar.parse(f"ALTER TABLE a ATTACH PARTITION b {text}".encode())
    command = tree[0]["stmt"]["AlterTableStmt"]["cmds"][0]["AlterTableCmd"]
    found: Node = command["def"]["PartitionCmd"]["bound"]
    return found
