"""The mapping of a job for its report: each table whose two shapes differ, and how. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.mapping.model import Column, Mapping, Table
from shared.mapping.name_states import Name


def mapping_document(mapping: Mapping) -> list[dict[str, Any]]:
    """Tables that stay as they are are left out; `change` is for people, `columns` for machines."""
    changed = [table for table in map(_table, mapping.tables) if table["change"]]
    made = [_whole(name, "created by the file") for name in mapping.created]
    gone = [_whole(name, "dropped by the file") for name in mapping.dropped]
    return changed + made + gone


def _table(table: Table) -> dict[str, Any]:
    before, after = table.sync.label, table.final.label
    words = [] if before == after else [f"renamed to {after}"]
    columns = list(_columns(table))
    words += [column["change"] for column in columns]
    return {"table": before, "to": after, "change": ", ".join(words), "columns": columns}


def _whole(name: Name, change: str) -> dict[str, Any]:
    return {"table": name.label, "to": name.label, "change": change, "columns": []}


def _columns(table: Table) -> Iterator[dict[str, Any]]:
    """Columns that are not the same on both sides; a landing column is told by its computed one."""
    landings = {column.sync: column for column in table.of("landing")}
    for column in table.columns:
        change = _change(column, landings.get(column.final) or landings.get(column.sync))
        if change:
            yield {
                "column": column.sync,
                "to": column.final,
                "kind": column.kind,
                "type": column.type,
                "change": change,
            }


def _change(column: Column, landing: Column | None) -> str:
    match column.kind:
        case "dropped":
            return f"{column.sync} dropped"
        case "new":
            return f"{column.final} added ({column.type})"
        case "computed":
            before = landing.source_type if landing else None
            return f"{column.final} computed" + (f" from {before}" if before else "")
        case "kept":
            return ", ".join(_small_changes(column))
        case _:
            return ""


def _small_changes(column: Column) -> Iterator[str]:
    if column.sync != column.final:
        yield f"{column.sync} renamed to {column.final}"
    if column.source_type not in (None, column.type):
        yield f"{column.final} widened from {column.source_type} to {column.type}"
