"""Landing columns on the target, before the file runs: the source's columns beside what comes.

`GENERATED` then `DROP EXPRESSION` fills them in one rewrite: no trigger fires, no row dies, and
the column is a plain one afterwards. User-defined types land as text, whose output function is
not immutable, so those are filled by an UPDATE that fires nothing.
"""

from __future__ import annotations

from shared.domain.identifiers import ident
from shared.mapping.model import Column, Mapping, Table


def landing(mapping: Mapping) -> list[str]:
    """Statements for one transaction on the target, whose names and shape are the source's."""
    statements: list[str] = []
    for table in mapping.tables:
        statements += _triggers_off(table)
        columns = table.of("landing")
        statements += _generated(table, [c for c in columns if c.type == c.source_type])
        statements += _copied(table, [c for c in columns if c.type != c.source_type])
    return statements


def _triggers_off(table: Table) -> list[str]:
    """The user's own triggers must not fire for the file's UPDATE: apply fires none either."""
    return [
        f"ALTER TABLE {table.sync.sql} DISABLE TRIGGER {ident(name)}" for name in table.triggers_off
    ]


def _generated(table: Table, columns: list[Column]) -> list[str]:
    if not columns:
        return []
    add = ", ".join(
        f"ADD COLUMN {_declared(c)} GENERATED ALWAYS AS ({ident(c.sync)}) STORED" for c in columns
    )
    plain = ", ".join(f"ALTER COLUMN {ident(c.final)} DROP EXPRESSION" for c in columns)
    return [f"ALTER TABLE {table.sync.sql} {add}", f"ALTER TABLE {table.sync.sql} {plain}"]


def _copied(table: Table, columns: list[Column]) -> list[str]:
    if not columns:
        return []
    add = ", ".join(f"ADD COLUMN {_declared(c)}" for c in columns)
    copies = ", ".join(f"{ident(c.final)} = {ident(c.sync)}::{c.type}" for c in columns)
    update = f"UPDATE {table.sync.sql} SET {copies}"
    return [
        f"ALTER TABLE {table.sync.sql} {add}",
        "SET LOCAL session_replication_role = replica",
        update,
        "SET LOCAL session_replication_role = origin",
    ]


def _declared(column: Column) -> str:
    collate = f" COLLATE {column.collation}" if column.collation else ""
    return f"{ident(column.final)} {column.type}{collate}"
