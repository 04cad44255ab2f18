"""Read what the catalogs say into a Snapshot: relations by oid, columns by (oid, attnum)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from shared.adapters.named_queries import named_queries
from shared.mapping.snapshot import (
    SeenColumn,
    SeenConstraint,
    SeenDomain,
    SeenIndex,
    SeenPartialIndex,
    SeenRelation,
    SeenTrigger,
    SeenType,
    Snapshot,
)
from shared.ports import Row, Session

QUERIES = named_queries(__file__, "catalog_snapshot.sql")


def take_snapshot(session: Session) -> Snapshot:
    """Types and expressions are printed under an empty search_path, so they are qualified."""
    with _no_search_path(session):
        labels: dict[int, dict[int, str]] = defaultdict(dict)
        for kind, oid, label in session.rows(QUERIES["labels"]):
            labels[kind][oid] = label
        types: dict[int, str] = dict(session.rows(QUERIES["types"]))
        domains = {
            oid: SeenDomain(base, never_null, tuple(conditions))
            for oid, base, never_null, conditions in session.rows(QUERIES["domains"])
        }
        composites = {
            oid: (name, tuple(held)) for oid, name, held in session.rows(QUERIES["composites"])
        }
        structures = {
            oid: SeenType(name, kind, tuple(inner))
            for oid, name, kind, inner in session.rows(QUERIES["structures"])
        }
        return Snapshot(_relations(session), types, dict(labels), domains, composites, structures)


@contextmanager
def _no_search_path(session: Session) -> Iterator[None]:
    path = session.value("SELECT current_setting('search_path')")
    session.value("SELECT set_config('search_path', '', false)")
    yield
    session.value("SELECT set_config('search_path', %s, false)", [path])


def _relations(session: Session) -> dict[int, SeenRelation]:
    columns = _by_table(session.rows(QUERIES["columns"]))
    constraints = _by_table(session.rows(QUERIES["constraints"]))
    indexes = _by_table(session.rows(QUERIES["indexes"]))
    partial = _by_table(session.rows(QUERIES["partial_indexes"]))
    triggers = _by_table(session.rows(QUERIES["triggers"]))
    found = {}
    for oid, *rest in session.rows(QUERIES["relations"]):
        found[oid] = replace(
            SeenRelation(oid, *rest),
            columns=tuple(SeenColumn(*row) for row in columns[oid]),
            constraints=tuple(_constraint(row) for row in constraints[oid]),
            indexes=tuple(_index(row) for row in indexes[oid]),
            partial_indexes=tuple(
                SeenPartialIndex(number, name, tuple(reads), text)
                for number, name, reads, text in partial[oid]
            ),
            triggers=tuple(SeenTrigger(*row) for row in triggers[oid]),
        )
    return found


def _by_table(rows: list[Row]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = defaultdict(list)
    for table, *rest in rows:
        found[table].append(tuple(rest))
    return found


def _constraint(row: Row) -> SeenConstraint:
    name, kind, columns, definition, referenced, referenced_columns, condition, oid = row
    keys = tuple(referenced_columns)
    return SeenConstraint(name, kind, tuple(columns), definition, referenced, keys, condition, oid)


def _index(row: Row) -> SeenIndex:
    name, columns, primary, identity, key_length, immediate = row
    return SeenIndex(name, tuple(columns[:key_length]), primary, identity, immediate)
