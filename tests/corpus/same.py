"""Whether a side of the pair is what the plain run of the same file and writes came to."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from collections.abc import Sequence

from shared.domain.environment import Colour
from shared.mapping.model import Mapping
from shared.mapping.name_states import Name
from tests.corpus.case import Case
from tests.corpus.played import Played
from tests.corpus.reference import (
    NEW,
    OLD,
    Contents,
    Reference,
    by_schema,
    contents,
    copies,
    sorted_rows,
)
from tests.corpus.stage import Stage

ColumnsOf = MappingOf[str, Sequence[str]]
NamesOf = dict[str, tuple[str, Sequence[str]]]
SHOWN_ROWS = 3
SHOWN_LINES = 6
SHOWN_CHARACTERS = 40
Row = tuple[str | None, ...]


def same_rows(
    here: Stage,
    beside: Reference,
    played: Played,
    colour: Colour,
    when: str,
    *,
    in_window: bool = False,
) -> None:
    """`in_window`: the source's tables have the names of the new shape for the while."""
    database = NEW if colour is here.target else OLD
    for case in played.cases:
        columns = beside.columns(database, case)
        expected = beside.contents(database, case)
        try:
            names = names_in_window(here.mapping, case, columns) if in_window else None
            found = contents(here.server(colour), "app", case, columns, names)
            if in_window:
                found = values_of_sync(here.mapping, case, found)
        except Exception as error:
            played.blame(case, f"{when}: {error}")
            continue
        for problem in differences(expected, found):
            played.blame(case, f"{when}: {problem}")


def same_definitions(
    here: Stage, beside: Reference, played: Played, colour: Colour, when: str
) -> None:
    expected = beside.definitions(NEW if colour is here.target else OLD)
    found = by_schema(copies(here.server(colour), "bg_replicator").dump("app"))
    names = {case.name: case for case in played.cases}
    for schema in expected.keys() | found.keys():
        left, right = expected.get(schema, []), found.get(schema, [])
        lack = [line for line in left if line not in right][:SHOWN_LINES]
        more = [line for line in right if line not in left][:SHOWN_LINES]
        if left == right:
            continue
        told = f"{when}: definitions differ: lacks {lack}, has {more}"
        if schema in names:
            played.blame(names[schema], told)
        elif schema != "public":
            played.general.append(f"schema {schema}: {told}")


def names_in_window(mapping: Mapping, case: Case, columns: ColumnsOf) -> NamesOf:
    """What the source calls its own tables and columns while the target serves."""
    found: NamesOf = {}
    for table in mapping.tables:
        if table.sync.namespace == case.name and table.sync.name in columns:
            ours = {c.sync: c.final for c in table.columns if c.on_source}
            listed = [ours[name] for name in columns[table.sync.name]]
            found[table.sync.name] = (table.final.sql, listed)
    for name in set(columns) - set(found):
        found[name] = (Name(case.name, name).sql, columns[name])  # dropped by the file
    return found


def values_of_sync(mapping: Mapping, case: Case, found: Contents) -> Contents:
    """Values of enum types that have another name there, under their own one."""
    labels = {
        each.final: each.sync
        for each in mapping.relabelled
        if each.sync_type.startswith(f"{case.name}.")
    }
    return {
        table: sorted_rows([tuple(labels.get(v or "", v) for v in row) for row in rows])
        for table, rows in found.items()
    }


def differences(expected: Contents, found: Contents) -> list[str]:
    """A sentence for each table whose rows are not the same."""
    told = []
    for table, rows in expected.items():
        if rows == found[table]:
            continue
        lack = [_shown(row) for row in rows if row not in found[table]][:SHOWN_ROWS]
        more = [_shown(row) for row in found[table] if row not in rows][:SHOWN_ROWS]
        told.append(
            f"{table}: expected {len(rows)} rows, found {len(found[table])}; not found {lack};"
            f" not expected {more}"
        )
    return told


def _shown(row: Row) -> Row:
    return tuple(value if value is None else value[:SHOWN_CHARACTERS] for value in row)
