"""The live catalog of a server as the validator's Catalog, with sizes and traffic.

Types, expressions and bounds are printed by the server under an empty search_path and read back
by the grammar (printed.py), so that a live catalog and one built from a schema file are the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from shared.adapters.named_queries import named_queries
from shared.adapters.schema.catalog_dependencies import read_dependencies
from shared.adapters.schema.catalog_routines import read_routines
from shared.adapters.schema.printed import (
    printed_bound,
    printed_expression,
    printed_type,
)
from shared.ports import Row, Session
from shared.sql import grammar
from shared.sql.catalog import Catalog
from shared.sql.chosen_names import key_names
from shared.sql.definitions import index_columns, index_method
from shared.sql.expressions import called
from shared.sql.expressions import columns as columns_of
from shared.sql.schema_objects import (
    Column,
    Constraint,
    ConstraintKind,
    Index,
    Publication,
    Relation,
    RelationKind,
)
from shared.sql.triggers import EventTrigger

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
        read_dependencies(self._rows, self._by_oid)
        self._publications()
        read_routines(self._rows, self._catalog)
        for relation in self._catalog.relations.values():
            self._catalog.note(relation)
        return self._catalog, version

    def _rows(self, name: str) -> list[Row]:
        return self._session.rows(QUERIES[name])

    def _names(self) -> None:
        schemas, roles, extensions, available = self._rows("names")[0]
        self._catalog.schemas = set(schemas)
        self._catalog.roles = set(roles)
        self._catalog.extensions = set(extensions or ())
        self._catalog.available_extensions = frozenset(available or ())
        for name, event, schema, function, fires in self._rows("event_triggers"):
            self._catalog.event_triggers[name] = EventTrigger(event, (schema, function), fires)
            self._catalog.watched = True

    def _publications(self) -> None:
        for name, all_tables, publishes, schemas in self._rows("publications"):
            made = Publication(publishes, all_tables=all_tables, schemas=set(schemas or ()))
            self._catalog.publications[name] = made

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
                bound=printed_bound(bound) if bound else None,
                row_security=secured,
                replica_identity=identity,
                of_type=printed_type(made_of).key if made_of else None,
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
            expression = printed_expression(default)
            relation.columns[name] = Column(
                name,
                printed_type(type_),
                not_null=not_null,
                has_default=has_default or bool(identity),
                default=None if generated else expression,
                generated=generated,
                reads=columns_of(expression) if generated else frozenset(),
                calls=called(expression) if generated else frozenset(),
                identity=bool(identity),
                always=identity == "a",
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
                expression=(condition := printed_expression(expression)),
                calls=called(condition),
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
            params, included = node.get("indexParams", ()), node.get("indexIncludingParams", ())
            self._catalog.indexes[(schema, name)] = Index(
                schema,
                name,
                relation.key,
                columns=index_columns(params, node.get("whereClause")),
                own_columns=key_names(p["IndexElem"] for p in (*params, *included)),
                calls=called(
                    *(p["IndexElem"].get("expr") for p in params), node.get("whereClause")
                ),
                unique=unique,
                plain="whereClause" not in node and all("name" in p["IndexElem"] for p in params),
                constraint=constraint,
                valid=valid,
                parent=(parent_schema, parent) if parent else None,
                method=index_method(node),
            )
