"""Queries on the target that compare a derived table with what the file makes of its source."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.identifiers import ident
from shared.mapping.derived.triggers import expected_row, source_of
from shared.mapping.derived_model import Derived
from shared.mapping.expressions import differs, one_row
from shared.mapping.keyed_rows import ROW
from shared.mapping.model import Mapping, Table
from shared.mapping.name_states import NameState


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
