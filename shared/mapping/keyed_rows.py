"""Rows of one table in the order of its key, and stretches of it. A key travels as texts."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.identifiers import ident, literal
from shared.mapping.model import Table
from shared.mapping.name_states import NameState

ROW = "t"
"""The row of a FROM item that stands here."""
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeyedRows:
    """The table's names are in `state`."""

    table: Table
    state: NameState = "sync"

    @property
    def from_item(self) -> str:
        only = "ONLY " if self.table.only else ""
        return f"{only}{self.table.name(self.state).sql} AS {ROW}"

    def key_names(self) -> list[str]:
        """Quoted."""
        return [ident(c.name(self.state)) for c in self.table.key_columns]

    @property
    def columns(self) -> str:
        """The key's columns of a row, in their order."""
        return ", ".join(f"{ROW}.{name}" for name in self.key_names())

    def literals(self, key: Key) -> str:
        columns = self.table.key_columns
        return ", ".join(
            f"{literal(text)}::{c.source_type}" for text, c in zip(key, columns, strict=True)
        )

    def where(self, after: Key | None, until: Key | None) -> str:
        limits = []
        if after is not None:
            limits.append(f"({self.columns}) > ({self.literals(after)})")
        if until is not None:
            limits.append(f"({self.columns}) <= ({self.literals(until)})")
        return f" WHERE {' AND '.join(limits)}" if limits else ""

    @property
    def keys(self) -> str:
        """The key as an array of texts."""
        return f"ARRAY[{self.key_texts}]::text[]"

    @property
    def key_texts(self) -> str:
        return ", ".join(f"{ROW}.{name}::text" for name in self.key_names())

    def chunk_end(self, after: Key | None, rows: int) -> str:
        """The key of the row `rows` behind `after`; no row when there are fewer."""
        return (
            f"SELECT {self.key_texts} FROM {self.from_item}{self.where(after, None)}"
            f" ORDER BY {self.columns} OFFSET {rows - 1} LIMIT 1"
        )
