"""Queries that compare the two sides of a mapping, chunk by chunk along the key.

raw      the replicated columns, by the same query on both sides: names are the same in each state
target   on the target only: what the file computes is its expression over the landing columns,
         and `down` over the final row gives the landing columns back
orphans  rows that a foreign key of the file would not allow; apply does not check it

A key travels as texts. Hashes are of the row as a record, three times as fast as of its text.
Source: notes of the prototype; PostgreSQL manual, "Row and Array Comparisons".
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.identifiers import ident, literal
from shared.mapping.derived_model import Derived
from shared.mapping.exact_values import BY_BYTES, INTEGERS, exact
from shared.mapping.expressions import as_query, differs, one_row
from shared.mapping.model import Column, ForeignKey, Mapping, Table
from shared.mapping.name_states import NameState

ROW = "t"
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
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Queries for one table, whose names are in `state` on both sides. They take no parameters."""

    table: Table
    state: NameState = "sync"

    @property
    def label(self) -> str:
        return self.table.name(self.state).label

    def chunk_end(self, after: Key | None, rows: int) -> str:
        """The key of the row `rows` behind `after`; no row when there are fewer."""
        names = self.key_names()
        order = ", ".join(f"{ROW}.{name}" for name in names)
        return (
            f"SELECT {self._key_texts} FROM {self._from}{self._where(after, None)}"
            f" ORDER BY {order} OFFSET {rows - 1} LIMIT 1"
        )

    def next_rows(self, after: Key | None, rows: int) -> str:
        """Of the next `rows` rows behind `after`: how many there are, the sum of their hashes as
        text, and the key of the last of them (NULL where there were fewer).

        One pass: the last key of a type with max() is an aggregate over the rows that are read
        anyhow; that of another key is looked up in its index alone.
        """
        names = self.key_names()
        order = ", ".join(f"{ROW}.{name}" for name in names)
        behind = self._where(after, None)
        if len(names) == 1 and self.table.key_columns[0].source_type in WITH_MAX:
            last = f"CASE WHEN count(*) = {rows} THEN ARRAY[max(key)::text] END"
        else:
            last = f"(SELECT ARRAY[{self._key_texts}] FROM {self._from}{behind} ORDER BY {order}"
            last += f" OFFSET {rows - 1} LIMIT 1)"
        return (
            f"SELECT count(*), coalesce(sum(hash), 0)::text, {last}"
            f" FROM (SELECT {self._hash} AS hash, {ROW}.{names[0]} AS key FROM {self._from}{behind}"
            f" ORDER BY {order} LIMIT {rows}) AS bluegreen_read"
        )

    def multiset(self, parts: list[int]) -> str:
        """Rows, and the sum of their hashes as text, of these parts (empty: of all): rows fall
        into parts by their own hash."""
        part = f"hash & {PARTS - 1}"
        chosen = f" WHERE {part} IN ({', '.join(map(str, parts))})" if parts else ""
        return (
            f"SELECT {part}, count(*), sum(hash)::text FROM"
            f" (SELECT {self._hash} AS hash FROM {self._from}) AS bluegreen_read{chosen} GROUP BY 1"
        )

    def digests(self, after: Key | None, until: Key | None) -> str:
        """Rows, and the sum of their hashes as text, of each part of the range: keys fall into
        parts by their hash."""
        return (
            f"SELECT {self._part}, count(*), sum({self._hash})::text"
            f" FROM {self._from}{self._where(after, until)} GROUP BY 1"
        )

    def hashes(self, after: Key | None, until: Key | None, parts: list[int]) -> str:
        """Key and hash of every row of these parts of the range."""
        where = self._where(after, until)
        chosen = f"{self._part} IN ({', '.join(map(str, parts))})"
        return (
            f"SELECT {self._keys}, {self._hash} FROM {self._from}{where}"
            f"{' AND' if where else ' WHERE'} {chosen}"
        )

    def hashes_of(self, keys: list[Key]) -> str:
        """Key and hash of these rows, as far as they are there."""
        wanted = ", ".join(f"({self._literals(key)})" for key in keys)
        names = ", ".join(f"{ROW}.{name}" for name in self.key_names())
        return f"SELECT {self._keys}, {self._hash} FROM {self._from} WHERE ({names}) IN ({wanted})"

    @property
    def has_target_checks(self) -> bool:
        return bool(self.table.chains or self._with_down() or self.started())

    def target_checks(self, after: Key | None, until: Key | None, *, with_down: bool) -> str:
        """Rows in the range; of them, those that were computed otherwise than by the file, and
        those whose old value `down` does not give."""
        items, local = self.computed_otherwise()
        downs = self._with_down() if with_down else []
        joins = "".join(
            f"\n LEFT JOIN LATERAL (SELECT ({c.down})::{c.type} AS old FROM {self._final_row(c)})"
            f" AS bluegreen_d{number} ON true"
            for number, c in enumerate(downs)
        )
        return (
            f"SELECT count(*), count(*) FILTER (WHERE {_any(local)}),"
            f" count(*) FILTER (WHERE {_any(self._inverse(downs))})"
            f" FROM {self._from}{items}{joins}{self._where(after, until)}"
        )

    def first_computed_otherwise(self, after: Key | None, until: Key | None, rows: int) -> str:
        """Keys, as text, of some of those rows."""
        items, local = self.computed_otherwise()
        where = self._where(after, until)
        return (
            f"SELECT array_to_string({self._keys}, ', ') FROM {self._from}{items}"
            f"{where}{' AND' if where else ' WHERE'} ({_any(local)}) LIMIT {rows}"
        )

    def not_as_the_file(self) -> str:
        """Keys of the rows that are not as the file would make them: values, not texts."""
        items, tests = self.computed_otherwise()
        names = ", ".join(f"{ROW}.{name}" for name in self.key_names())
        return f"SELECT {names} FROM {self._from}{items} WHERE {' OR '.join(tests)}"

    @property
    def _from(self) -> str:
        only = "ONLY " if self.table.only else ""
        return f"{only}{self.table.name(self.state).sql} AS {ROW}"

    @property
    def _hash(self) -> str:
        columns = ", ".join(
            exact(c, f"{ROW}.{ident(c.name(self.state))}")
            for c in self.table.columns
            if c.published
        )
        return f"hash_record_extended(row({columns})::record, 1)"

    @property
    def _keys(self) -> str:
        """The key as an array of texts."""
        return f"ARRAY[{self._key_texts}]::text[]"

    @property
    def _key_texts(self) -> str:
        return ", ".join(f"{ROW}.{name}::text" for name in self.key_names())

    @property
    def _part(self) -> str:
        """0 to PARTS - 1, alike on both sides."""
        values = [exact(c, f"{ROW}.{ident(c.name(self.state))}") for c in self.table.key_columns]
        key = f"hash_record_extended(row({', '.join(values)})::record, 2)"
        return f"({key} & {PARTS - 1})"

    def key_names(self) -> list[str]:
        """Quoted."""
        return [ident(c.name(self.state)) for c in self.table.key_columns]

    def _literals(self, key: Key) -> str:
        columns = self.table.key_columns
        return ", ".join(
            f"{literal(text)}::{c.source_type}" for text, c in zip(key, columns, strict=True)
        )

    def _where(self, after: Key | None, until: Key | None) -> str:
        names = ", ".join(f"{ROW}.{name}" for name in self.key_names())
        limits = []
        if after is not None:
            limits.append(f"({names}) > ({self._literals(after)})")
        if until is not None:
            limits.append(f"({names}) <= ({self._literals(until)})")
        return f" WHERE {' AND '.join(limits)}" if limits else ""

    def started(self) -> list[Column]:
        """New columns that hold one constant in every row until the target serves."""
        computed = {result.column for chain in self.table.chains for result in chain.results}
        return [c for c in self.table.of("new") if c.start and c.final not in computed]

    def computed_otherwise(self) -> tuple[str, list[str]]:
        """The chains as FROM items, and tests of which one holds where a row is not as the file
        would make it."""
        items, tests = "", []
        for column in self.started():
            stored = f"{ROW}.{ident(column.name(self.state))}"
            tests.append(differs([stored], [f"({column.start})::{column.type}"]))
        for number, chain in enumerate(self.table.chains):
            more, results = as_query(chain, ROW, self._column_name, prefix=f"bluegreen_c{number}_")
            items += more
            for final, expression in results.items():
                column = self.table.column(final)
                stored = f"{ROW}.{ident(column.name(self.state))}"
                tests.append(differs([stored], [f"({expression})::{column.type}"]))
        return items, tests

    def _with_down(self) -> list[Column]:
        return [column for column in self.table.of("landing") if column.down is not None]

    def _inverse(self, downs: list[Column]) -> list[str]:
        return [
            differs([f"{ROW}.{ident(column.name(self.state))}"], [f"bluegreen_d{number}.old"])
            for number, column in enumerate(downs)
        ]

    def _final_row(self, column: Column) -> str:
        reads = [(final, f"{ROW}.{ident(self._column_name(final))}") for final in column.down_reads]
        return one_row(self.table.final.name, reads)

    def _column_name(self, final: str) -> str:
        return self.table.column(final).name(self.state)


def _any(tests: list[str]) -> str:
    return " OR ".join(f"({test})" for test in tests) or "false"


def orphans(mapping: Mapping, key: ForeignKey, state: NameState) -> str:
    """Rows of the referencing table without a parent: how many, and one of them."""
    by_name = {table.final: table for table in mapping.tables}
    child, parent = by_name.get(key.table), by_name.get(key.referenced)
    columns = [_name(child, column, state) for column in key.columns]
    referenced = [_name(parent, column, state) for column in key.referenced_columns]
    there = " AND ".join(f"c.{a} = p.{b}" for a, b in zip(columns, referenced, strict=True))
    known = " AND ".join(f"c.{column} IS NOT NULL" for column in columns)
    shown = ", ".join(f"c.{column}::text" for column in columns)
    return (
        f"SELECT count(*), min(concat_ws(', ', {shown}))"
        f" FROM {(child.name(state) if child else key.table).sql} AS c WHERE {known}"
        f" AND NOT EXISTS (SELECT FROM {(parent.name(state) if parent else key.referenced).sql}"
        f" AS p WHERE {there})"
    )


def _name(table: Table | None, final: str, state: NameState) -> str:
    return ident(table.column(final).name(state)) if table else ident(final)


def settings_for(table: Table | Derived) -> list[str]:
    """SET statements under which both sides, and the file's own session, mean the same."""
    return [f"SET {name} = {value}" for name, value in (PINNED | table.settings).items()]
