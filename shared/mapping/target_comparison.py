"""Queries on the target that compare what the file computes with what stands there.

local    a computed column is its expression over the landing columns
inverse  `down` over the final row gives the landing column back
orphans  rows that a foreign key of the file would not allow; apply does not check it
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.identifiers import ident
from shared.mapping.expressions import as_query, differs, one_row
from shared.mapping.keyed_rows import ROW, Key, KeyedRows
from shared.mapping.model import Column, ForeignKey, Mapping, Table
from shared.mapping.name_states import NameState


@dataclass(frozen=True, slots=True)
class TargetComparison:
    """Queries for one table, whose names are in `state`. They take no parameters."""

    table: Table
    state: NameState = "sync"

    @property
    def has_checks(self) -> bool:
        return bool(self.table.chains or self._with_down() or self.started())

    def checks(self, after: Key | None, until: Key | None, *, with_down: bool) -> str:
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
            f" FROM {self._rows.from_item}{items}{joins}{self._rows.where(after, until)}"
        )

    def first_computed_otherwise(self, after: Key | None, until: Key | None, rows: int) -> str:
        """Keys, as text, of some of those rows."""
        items, local = self.computed_otherwise()
        where = self._rows.where(after, until)
        return (
            f"SELECT array_to_string({self._rows.keys}, ', ') FROM {self._rows.from_item}{items}"
            f"{where}{' AND' if where else ' WHERE'} ({_any(local)}) LIMIT {rows}"
        )

    def not_as_the_file(self) -> str:
        """Keys of the rows that are not as the file would make them: values, not texts."""
        items, tests = self.computed_otherwise()
        rows = self._rows
        return f"SELECT {rows.columns} FROM {rows.from_item}{items} WHERE {' OR '.join(tests)}"

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

    @property
    def _rows(self) -> KeyedRows:
        return KeyedRows(self.table, self.state)


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
