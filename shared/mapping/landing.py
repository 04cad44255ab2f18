"""Landing columns on the target, before the file runs: the source's columns beside what comes.

`GENERATED` then `DROP EXPRESSION` fills them in one rewrite: no trigger fires, no row dies, and
the column is a plain one afterwards. User-defined types land as text, whose output function is
not immutable, so those are filled by an UPDATE that fires nothing.
"""

from __future__ import annotations

from shared.domain.identifiers import ident
from shared.mapping.model import Column, Mapping, Table
from shared.mapping.names import SPARE, ours


def landing(mapping: Mapping) -> list[str]:
    """Statements for one transaction on the target, whose names and shape are the source's."""
    statements: list[str] = []
    for table in mapping.tables:
        statements += _triggers_off(table)
        columns = table.of("landing")
        statements += _generated(table, [c for c in columns if c.type == c.source_type])
        statements += _copied(table, [c for c in columns if c.type != c.source_type])
    return statements


def landing_last(mapping: Mapping) -> list[str]:
    """After the file, names in state final: landing columns move behind what the file added.

    Until `finish` an INSERT without a column list then means what it means without them, and
    `SELECT *` has the file's columns first (docs/adr/0015-landing-columns-stand-last.md).
    """
    statements: list[str] = []
    for table in mapping.tables:
        columns = table.of("landing")
        if not columns or not table.of("new"):
            continue
        relation = table.final.sql
        places = [(column, ident(ours(SPARE, column.final))) for column in columns]
        statements.append(
            f"ALTER TABLE {relation} "
            + ", ".join(
                f"ADD COLUMN {place} {c.type}{_collate(c)} GENERATED ALWAYS AS ({ident(c.final)})"
                " STORED"
                for c, place in places
            )
        )
        statements.append(
            f"ALTER TABLE {relation} "
            + ", ".join(f"ALTER COLUMN {place} DROP EXPRESSION" for _, place in places)
        )
        statements.append(
            f"ALTER TABLE {relation} "
            + ", ".join(f"DROP COLUMN {ident(column.final)}" for column in columns)
        )
        statements += [
            f"ALTER TABLE {relation} RENAME COLUMN {place} TO {ident(column.final)}"
            for column, place in places
        ]
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
    return f"{ident(column.final)} {column.type}{_collate(column)}"


def _collate(column: Column) -> str:
    return f" COLLATE {column.collation}" if column.collation else ""
