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
from shared.mapping.derived_triggers import expected_row, source_of
from shared.mapping.expressions import as_query, differs, one_row
from shared.mapping.model import Column, Derived, ForeignKey, Mapping, NameState, Table

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
TEXTS = {"text", "character varying"}
INTEGERS = {"smallint", "integer", "bigint"}
BY_BYTES = {
    "boolean", "uuid", "date", "bytea", "oid", "time without time zone",
    "timestamp without time zone", "timestamp with time zone",
}  # fmt: skip
"""Types of which equal values are equal in every byte."""
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
        keys = ", ".join(f"{ROW}.{name}::text" for name in names)
        order = ", ".join(f"{ROW}.{name}" for name in names)
        return (
            f"SELECT {keys} FROM {self._from}{self._where(after, None)}"
            f" ORDER BY {order} OFFSET {rows - 1} LIMIT 1"
        )

    def digest(self, after: Key | None, until: Key | None) -> str:
        """Number of rows in the range, and the sum of their hashes as text."""
        return (
            f"SELECT count(*), coalesce(sum({self._hash}), 0)::text"
            f" FROM {self._from}{self._where(after, until)}"
        )

    def hashes(self, after: Key | None, until: Key | None) -> str:
        """Key and hash of every row in the range."""
        return f"SELECT {self._keys}, {self._hash} FROM {self._from}{self._where(after, until)}"

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
        those whose old value `down` does not give; and the first keys of the former."""
        items, local = self.computed_otherwise()
        downs = self._with_down() if with_down else []
        inverse = " OR ".join(f"({test})" for test in self._inverse(downs)) or "false"
        local_text = " OR ".join(f"({text})" for text in local) or "false"
        joins = "".join(
            f"\n LEFT JOIN LATERAL (SELECT ({c.down})::{c.type} AS old FROM {self._final_row(c)})"
            f" AS bluegreen_d{number} ON true"
            for number, c in enumerate(downs)
        )
        where = self._where(after, until)
        checked = (
            f"SELECT array_to_string({self._keys}, ', ') AS key, {local_text} AS local,"
            f" {inverse} AS inverse"
            f" FROM {self._from}{items}{joins}{where}"
        )
        return (
            "SELECT count(*), count(*) FILTER (WHERE local), count(*) FILTER (WHERE inverse),"
            f" (array_agg(key) FILTER (WHERE local))[1:5] FROM ({checked}) AS checked"
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
        return f"ARRAY[{', '.join(f'{ROW}.{name}::text' for name in self.key_names())}]::text[]"

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


@dataclass(frozen=True, slots=True)
class DerivedComparison:
    """Queries on the target for one derived table: is it what its source's rows say?"""

    mapping: Mapping
    made: Derived
    state: NameState = "sync"

    @property
    def table(self) -> Table:
        return source_of(self.mapping, self.made)

    def checks(self) -> str:
        """Rows of the source; of them, those whose derived row is another than by the file, and
        those whose old value it does not give back; and the first keys of the former."""
        local, inverse = self._tests()
        return (
            "SELECT count(*), count(*) FILTER (WHERE local), count(*) FILTER (WHERE inverse),"
            " (array_agg(key) FILTER (WHERE local))[1:5]"
            f" FROM (SELECT {self._shown(ROW)} AS key, {local} AS local, {inverse} AS inverse"
            f" FROM {self._joined}) AS checked"
        )

    def extra(self) -> str:
        """Derived rows without a row that they could come from: how many, and one key."""
        shown = ", ".join(f"d.{ident(name)}::text" for name in self.made.key)
        return f"SELECT count(*), min(concat_ws(', ', {shown})) FROM {self._alone}"

    def remove_extra(self) -> str:
        return f"DELETE FROM {self._alone}"

    def not_as_the_file(self) -> str:
        """Keys of the source's rows whose derived row is another than by the file."""
        names = ", ".join(f"{ROW}.{name}" for name in self._keys)
        return f"SELECT {names} FROM {self._joined} WHERE {self._tests()[0]}"

    @property
    def _keys(self) -> list[str]:
        return [ident(c.name(self.state)) for c in self.table.key_columns]

    def _shown(self, row: str) -> str:
        return f"concat_ws(', ', {', '.join(f'{row}.{name}::text' for name in self._keys)})"

    @property
    def _matched(self) -> str:
        return " AND ".join(
            f"d.{ident(theirs)} = {ROW}.{mine}"
            for theirs, mine in zip(self.made.key, self._keys, strict=True)
        )

    @property
    def _alone(self) -> str:
        source = self.table.name(self.state).sql
        return (
            f"{self.made.name(self.state).sql} AS d WHERE NOT EXISTS"
            f" (SELECT FROM {source} AS {ROW} WHERE {self._matched})"
        )

    @property
    def _joined(self) -> str:
        source, condition = expected_row(self.made, self.table, ROW, self.state)
        filled = ", ".join(
            f"({each.expression})::{each.type} AS c{number}"
            for number, each in enumerate(self.made.filled)
        )
        backs = "".join(
            f" LEFT JOIN LATERAL (SELECT ({each.expression})::{each.type} AS old FROM"
            f" {one_row(self.made.final.name, [(c, f'd.{ident(c)}') for c in each.reads])})"
            f" AS b{number} ON d.tableoid IS NOT NULL"
            for number, each in enumerate(self.made.put_back)
        )
        return (
            f"{self.table.name(self.state).sql} AS {ROW}"
            f" LEFT JOIN LATERAL (SELECT true AS hit, {filled} FROM {source} WHERE {condition})"
            " AS x ON true"
            f" LEFT JOIN {self.made.name(self.state).sql} AS d ON {self._matched}{backs}"
        )

    def _tests(self) -> tuple[str, str]:
        values = [f"x.c{number}" for number, _ in enumerate(self.made.filled)]
        stored = [f"d.{ident(each.column)}" for each in self.made.filled]
        local = (
            "(coalesce(x.hit, false) <> (d.tableoid IS NOT NULL)"
            f" OR (x.hit AND {differs(values, stored)}))"
        )
        inverse = " OR ".join(
            differs(
                [f"{ROW}.{ident(self.table.column(each.landing).name(self.state))}"],
                [f"coalesce(b{number}.old, {each.fill})"],
            )
            for number, each in enumerate(self.made.put_back)
        )
        return local, f"({inverse or 'false'})"


def exact(column: Column, value: str) -> str:
    """The value as something whose hash is that of its bytes, and alike on both sides.

    Most types hash what is equal alike: 1.0 and 1.00 would not be told apart. Those go as text.
    """
    kinds = {column.type.partition("(")[0], (column.source_type or column.type).partition("(")[0]}
    if kinds <= TEXTS:
        return f'{value}::text COLLATE "C"'
    if kinds <= INTEGERS:
        return value if len(kinds) == 1 else f"{value}::bigint"
    return value if len(kinds) == 1 and kinds <= BY_BYTES else f'{value}::text COLLATE "C"'


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
