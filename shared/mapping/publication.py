"""What is replicated: explicit tables and columns, in either direction, and the marker.

A column list follows the physical column, not its name, so that both publications can be made
while the names are in state sync. (Tried on PostgreSQL 15 and 18.)
"""

from __future__ import annotations

import re

from shared.domain.identifiers import ident
from shared.domain.objects import FORWARD, JOB, REVERSE
from shared.mapping.model import Column, Mapping, Table
from shared.mapping.name_states import NameState

INTEGER_RANGE = {
    "smallint": (-(2**15), 2**15 - 1),
    "integer": (-(2**31), 2**31 - 1),
}
VARYING = re.compile(r"character varying\((\d+)\)")


def forward_publication(mapping: Mapping) -> list[str]:
    """On the source, in state sync, before the slot is made."""
    tables = [_members(t, "sync", whole=t.identity_full) for t in mapping.tables]
    return _create(FORWARD, tables)


def reverse_publication(mapping: Mapping, state: NameState) -> list[str]:
    """On the target, whose names are in `state`: the old shape, with rows that fit into it."""
    tables = []
    for table in mapping.tables:
        fits = [text for c in table.key_columns if (text := fits_source(c, ident(c.name(state))))]
        rows = f" WHERE ({' AND '.join(fits)})" if fits else ""
        whole = table.identity_full and not table.found_by_key
        tables.append(_members(table, state, whole=whole, rows=rows))
    return _create(REVERSE, tables)


def fits_source(column: Column, name: str) -> str | None:
    """The condition under which a widened key's value fits the source's type; None: always."""
    if column.type == column.source_type:
        return None
    if limits := INTEGER_RANGE.get(column.source_type or ""):
        low, high = limits
        return f"{name} >= {low} AND {name} <= {high}"
    if length := VARYING.fullmatch(column.source_type or ""):
        return f"char_length({name}) <= {length[1]}"
    return None


def _members(table: Table, state: NameState, *, whole: bool, rows: str = "") -> str:
    """The table, or each of its partitions. `whole`: the server allows no column list there."""
    only = "ONLY " if table.only else ""
    columns = ", ".join(ident(c.name(state)) for c in table.columns if c.published)
    listed = "" if whole else f" ({columns})"
    names = table.partitions or [table.name(state)]
    return ", ".join(f"{only}{name.sql}{listed}{rows}" for name in names)


def _create(name: str, tables: list[str]) -> list[str]:
    members = ", ".join([*tables, ident(JOB, "marker")])
    return [
        f"CREATE PUBLICATION {ident(name)} FOR TABLE {members}"
        " WITH (publish_via_partition_root = true)"
    ]
