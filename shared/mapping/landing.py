"""Landing columns on the target, before the file runs: the source's columns beside what comes.

`GENERATED` then `DROP EXPRESSION` fills them in one rewrite: no trigger fires, no row dies, and
the column is a plain one afterwards. User-defined types land as text, whose output function is
not immutable, and `DROP EXPRESSION` is refused where a partition is partitioned itself
(tablecmds.c, ATPrepDropExpression): those are filled by an UPDATE that fires nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.identifiers import ident
from shared.mapping.model import Column, Mapping, Table
from shared.mapping.names import SPARE, ours


def landing(mapping: Mapping) -> list[str]:
    """Statements for one transaction on the target, whose names and shape are the source's."""
    statements: list[str] = []
    for table in mapping.tables:
        statements += _triggers_off(table)
        new = [_New(ident(c.final), c, ident(c.sync)) for c in table.of("landing")]
        copied = [n for n in new if table.nested or n.column.type != n.column.source_type]
        statements += _filled(table.sync.sql, new, copied)
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
        places = [
            _New(ident(ours(SPARE, column.final)), column, ident(column.final))
            for column in columns
        ]
        statements += _filled(relation, places, places if table.nested else [])
        statements.append(
            f"ALTER TABLE {relation} " + ", ".join(f"DROP COLUMN {new.source}" for new in places)
        )
        statements += [
            f"ALTER TABLE {relation} RENAME COLUMN {new.name} TO {new.source}" for new in places
        ]
    return statements


@dataclass(frozen=True, slots=True)
class _New:
    """A column to be added, and the one that it is filled from; both names as SQL text."""

    name: str
    column: Column
    source: str

    @property
    def declared(self) -> str:
        collation = self.column.collation
        return f"{self.name} {self.column.type}" + (f" COLLATE {collation}" if collation else "")


def _triggers_off(table: Table) -> list[str]:
    """The user's own triggers must not fire for the file's UPDATE: apply fires none either."""
    return [
        f"ALTER TABLE {table.sync.sql} DISABLE TRIGGER {ident(name)}" for name in table.triggers_off
    ]


def _filled(relation: str, new: list[_New], copied: list[_New]) -> list[str]:
    generated = [each for each in new if each not in copied]
    return _generated(relation, generated) + _copied(relation, copied) + _defaults(relation, new)


def _defaults(relation: str, new: list[_New]) -> list[str]:
    """A trigger could not tell a row that is born from one that changes its partition."""
    return [
        f"ALTER TABLE {relation} ALTER COLUMN {each.name} SET DEFAULT {each.column.born}"
        for each in new
        if each.column.born is not None
    ]


def _generated(relation: str, columns: list[_New]) -> list[str]:
    if not columns:
        return []
    add = ", ".join(
        f"ADD COLUMN {new.declared} GENERATED ALWAYS AS ({new.source}) STORED" for new in columns
    )
    plain = ", ".join(f"ALTER COLUMN {new.name} DROP EXPRESSION" for new in columns)
    return [f"ALTER TABLE {relation} {add}", f"ALTER TABLE {relation} {plain}"]


def _copied(relation: str, columns: list[_New]) -> list[str]:
    if not columns:
        return []
    add = ", ".join(f"ADD COLUMN {new.declared}" for new in columns)
    copies = ", ".join(f"{new.name} = {new.source}::{new.column.type}" for new in columns)
    return [
        f"ALTER TABLE {relation} {add}",
        "SET LOCAL session_replication_role = replica",
        f"UPDATE {relation} SET {copies}",
        "SET LOCAL session_replication_role = origin",
    ]
