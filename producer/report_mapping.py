"""The mapping of a job for its report: each table whose two shapes differ, and how. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Body = Mapping[str, Any]


def mapping_document(mapping: Body) -> list[dict[str, Any]]:
    """`mapping` is a shared.mapping.model.Mapping as JSON; tables that stay as they are are left
    out. `change` is for people, `columns` for machines."""
    changed = [table for table in map(_table, mapping.get("tables", ())) if table["change"]]
    made = [_whole(name, "created by the file") for name in mapping.get("created", ())]
    gone = [_whole(name, "dropped by the file") for name in mapping.get("dropped", ())]
    return changed + made + gone


def _table(table: Body) -> dict[str, Any]:
    before, after = _label(table["sync"]), _label(table["final"])
    words = [] if before == after else [f"renamed to {after}"]
    columns = list(_columns(table))
    words += [column["change"] for column in columns]
    return {"table": before, "to": after, "change": ", ".join(words), "columns": columns}


def _whole(name: Any, change: str) -> dict[str, Any]:
    label = _label(name)
    return {"table": label, "to": label, "change": change, "columns": []}


def _columns(table: Body) -> Iterator[dict[str, Any]]:
    """Columns that are not the same on both sides; a landing column is told by its computed one."""
    landings = {c["sync"]: c for c in table["columns"] if c["kind"] == "landing"}
    for column in table["columns"]:
        change = _change(column, landings.get(column["final"]) or landings.get(column["sync"]))
        if change:
            yield {
                "column": column["sync"],
                "to": column["final"],
                "kind": column["kind"],
                "type": column["type"],
                "change": change,
            }


def _change(column: Body, landing: Body | None) -> str:
    name, kind = column["final"], column["kind"]
    if kind == "dropped":
        return f"{column['sync']} dropped"
    if kind == "new":
        return f"{name} added ({column['type']})"
    if kind == "computed":
        before = (landing or {}).get("source_type")
        return f"{name} computed from {before}" if before else f"{name} computed"
    if kind != "kept":
        return ""
    words = [] if column["sync"] == name else [f"{column['sync']} renamed to {name}"]
    if column.get("source_type") not in (None, column["type"]):
        words.append(f"{name} widened from {column['source_type']} to {column['type']}")
    return ", ".join(words)


def _label(name: Any) -> str:
    schema, relation = name
    return str(relation) if schema == "public" else f"{schema}.{relation}"
