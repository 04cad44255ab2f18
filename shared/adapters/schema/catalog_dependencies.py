"""What hangs on what in a live catalog: partitions, owned sequences, views, triggers, policies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace

from shared.adapters.schema.printed import printed_expression, printed_rule, printed_trigger
from shared.ports import Row
from shared.sql.expressions import columns as columns_of
from shared.sql.schema_objects import Published, Relation

Rows = Callable[[str], list[Row]]


def read_dependencies(rows: Rows, known: dict[int, Relation]) -> None:
    """Who belongs to, reads or runs whom, noted on the relations that are known by oid.

    `rows` answers a query of catalog_reader.sql; an oid that is not known is a system's own.
    """
    for child, parent in rows("parents"):
        if child in known and parent in known:
            known[child].parents.append(known[parent].key)
            known[parent].children.append(known[child].key)
    for sequence, table, column in rows("owned"):
        if sequence in known and table in known:
            known[sequence].owned_by = (known[table].key, column)
    _views(rows, known)
    _on_tables(rows, known)
    _told(rows, known)


def _views(rows: Rows, known: dict[int, Relation]) -> None:
    reads: dict[tuple[int, int], set[str]] = defaultdict(set)
    for view, source, column in rows("reads"):
        reads[view, source] |= {column} if column else set()
    calls: dict[int, set[str]] = defaultdict(set)
    for view, function in rows("calls"):
        calls[view].add(function)
    for view, called_there in calls.items():
        if view in known:
            known[view].calls = frozenset(called_there)
    for (view, source), names in reads.items():
        if view in known and source in known:
            known[view].reads[known[source].key] = frozenset(names)


def _on_tables(rows: Rows, known: dict[int, Relation]) -> None:
    for table, name, schema, function, fires, text in rows("triggers"):
        if table in known:
            found = replace(printed_trigger((schema, function), text), enabled=fires)
            known[table].triggers[name] = found
    for table, name, fires, text in rows("rules"):
        if table in known:
            known[table].rules[name] = replace(printed_rule(text), enabled=fires)
    for table, name, using, check in rows("policies"):
        if table in known:
            read = columns_of(printed_expression(using)) | columns_of(printed_expression(check))
            known[table].policies[name] = read


def _told(rows: Rows, known: dict[int, Relation]) -> None:
    """Statistics, and what publications tell of each table."""
    for table, schema, name in rows("statistics"):
        if table in known:
            known[table].statistics.add((schema, name))
    for table, publication, where, listed in rows("published"):
        if table in known:
            columns = None if listed is None else frozenset(listed)
            filters = columns_of(printed_expression(where))
            known[table].published[publication] = Published(filters, columns)
