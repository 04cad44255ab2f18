"""The replicated columns of both sides, by the same query on each, chunk by chunk along the key.

Their names are the same in each state. What stands on the target only is compared by
target_comparison.py. Hashes are of the row as a record, three times as fast as of its text.
Source: notes of the prototype; PostgreSQL manual, "Row and Array Comparisons".
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.identifiers import ident
from shared.mapping.derived_model import Derived
from shared.mapping.exact_values import BY_BYTES, INTEGERS, exact
from shared.mapping.keyed_rows import ROW, Key, KeyedRows
from shared.mapping.model import Table
from shared.mapping.name_states import NameState

PINNED = {
    "timezone": "'UTC'",
    "datestyle": "'ISO, MDY'",
    "intervalstyle": "'postgres'",
    "extra_float_digits": "1",
    "bytea_output": "'hex'",
    "search_path": "pg_catalog",
}
"""Session settings under which both sides print a value alike."""
WITH_MAX = INTEGERS | (BY_BYTES - {"boolean", "uuid", "bytea"})
"""Types of keys whose greatest value an aggregate of every version finds, without a collation."""
PARTS = 256
"""Of a range that differs; a power of 2."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Queries for one table, whose names are in `state` on both sides. They take no parameters."""

    table: Table
    state: NameState = "sync"

    @property
    def label(self) -> str:
        return self.table.name(self.state).label

    @property
    def _rows(self) -> KeyedRows:
        return KeyedRows(self.table, self.state)

    def next_rows(self, after: Key | None, rows: int) -> str:
        """Of the next `rows` rows behind `after`: how many there are, the sum of their hashes as
        text, and the key of the last of them (NULL where there were fewer).

        One pass: the last key of a type with max() is an aggregate over the rows that are read
        anyhow; that of another key is looked up in its index alone.
        """
        keyed = self._rows
        read = f"{keyed.from_item}{keyed.where(after, None)} ORDER BY {keyed.columns}"
        names = keyed.key_names()
        if len(names) == 1 and self.table.key_columns[0].source_type in WITH_MAX:
            last = f"CASE WHEN count(*) = {rows} THEN ARRAY[max(key)::text] END"
        else:
            last = f"(SELECT ARRAY[{keyed.key_texts}] FROM {read} OFFSET {rows - 1} LIMIT 1)"
        return (
            f"SELECT count(*), coalesce(sum(hash), 0)::text, {last} FROM"
            f" (SELECT {self._hash} AS hash, {ROW}.{names[0]} AS key FROM {read} LIMIT {rows})"
            " AS bluegreen_read"
        )

    def multiset(self, parts: list[int]) -> str:
        """Rows, and the sum of their hashes as text, of these parts (empty: of all): rows fall
        into parts by their own hash."""
        part = f"hash & {PARTS - 1}"
        chosen = f" WHERE {part} IN ({', '.join(map(str, parts))})" if parts else ""
        hashes = f"(SELECT {self._hash} AS hash FROM {self._rows.from_item}) AS bluegreen_read"
        return f"SELECT {part}, count(*), sum(hash)::text FROM {hashes}{chosen} GROUP BY 1"

    def digests(self, after: Key | None, until: Key | None) -> str:
        """Rows, and the sum of their hashes as text, of each part of the range: keys fall into
        parts by their hash."""
        return (
            f"SELECT {self._part}, count(*), sum({self._hash})::text"
            f" FROM {self._rows.from_item}{self._rows.where(after, until)} GROUP BY 1"
        )

    def hashes(self, after: Key | None, until: Key | None, parts: list[int]) -> str:
        """Key and hash of every row of these parts of the range."""
        where = self._rows.where(after, until)
        chosen = f"{self._part} IN ({', '.join(map(str, parts))})"
        return (
            f"SELECT {self._rows.keys}, {self._hash} FROM {self._rows.from_item}{where}"
            f"{' AND' if where else ' WHERE'} {chosen}"
        )

    def hashes_of(self, keys: list[Key]) -> str:
        """Key and hash of these rows, as far as they are there."""
        keyed = self._rows
        wanted = ", ".join(f"({keyed.literals(key)})" for key in keys)
        return (
            f"SELECT {keyed.keys}, {self._hash} FROM {keyed.from_item}"
            f" WHERE ({keyed.columns}) IN ({wanted})"
        )

    @property
    def _hash(self) -> str:
        columns = ", ".join(
            exact(c, f"{ROW}.{ident(c.name(self.state))}")
            for c in self.table.columns
            if c.published
        )
        return f"hash_record_extended(row({columns})::record, 1)"

    @property
    def _part(self) -> str:
        """0 to PARTS - 1, alike on both sides."""
        values = [exact(c, f"{ROW}.{ident(c.name(self.state))}") for c in self.table.key_columns]
        key = f"hash_record_extended(row({', '.join(values)})::record, 2)"
        return f"({key} & {PARTS - 1})"


def settings_for(table: Table | Derived) -> list[str]:
    """SET statements under which both sides, and the file's own session, mean the same."""
    return [f"SET {name} = {value}" for name, value in (PINNED | table.settings).items()]
