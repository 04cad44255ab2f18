"""A statement that copies rows into a table of the file: asked before it runs, told when it has."""

from __future__ import annotations

from dataclasses import dataclass

from shared.adapters.rehearsal.expression_probe import (
    Meaning,
    meaning_settings,
    named_relation,
    row_local_meaning,
)
from shared.adapters.schema.catalog_snapshot import QUERIES
from shared.domain.identifiers import ident
from shared.mapping.data_changes import Assigned, DataChange
from shared.mapping.new_rows import copied_rows
from shared.mapping.snapshot import SeenRelation, Snapshot
from shared.mapping.statements import refused
from shared.mapping.table_copies import TableCopy
from shared.mapping.trace import SeenCopy, SeenItem
from shared.ports import Session
from shared.sql.expressions import walk
from shared.sql.names import split_name
from shared.sql.parse import Statement


@dataclass(frozen=True, slots=True)
class AnalysedCopy:
    """A copy from a table that was there before the file, as the server understands it."""

    source: SeenRelation
    copy: TableCopy
    expressions: tuple[str, ...]
    bare: tuple[str | None, ...]
    """For each expression the column that it is, if it is nothing else."""
    meaning: Meaning
    settings: dict[str, str]


def analysed_copy(
    session: Session, statement: Statement, start: Snapshot, targets: list[int], now: Snapshot
) -> AnalysedCopy | None:
    """None for a statement that copies nothing. Raises Refused, with the line, for a copy that
    cannot be carried. `targets` are the tables that earlier statements copied into."""

    def find(name: tuple[str, ...]) -> SeenRelation | None:
        return named_relation(session, ident(*name), now)

    copy = copied_rows(statement, start, targets, find)
    if copy is None:
        return None
    source = named_relation(session, copy.source, now)
    assert source is not None, "a copy was found, so its source is there"
    every = [column.name for column in source.columns]
    expressions: list[str] = []
    bare: list[str | None] = []
    for text, name in zip(copy.expressions, copy.bare, strict=True):
        expressions += [ident(each) for each in every] if text == "*" else [text]
        bare += every if text == "*" else [name]
    asked = DataChange(
        copy.source, copy.alias, tuple(Assigned("", text) for text in expressions), copy.condition
    )
    return AnalysedCopy(
        source,
        copy,
        tuple(expressions),
        tuple(bare),
        row_local_meaning(session, statement, asked, source),
        meaning_settings(session),
    )


def check_calls(session: Session, statement: Statement) -> None:
    """A function in rows that the file makes answers as of the fork. Raises Refused for one of the
    user's that may read tables."""
    if statement.tag not in ("InsertStmt", "CreateTableAsStmt"):
        return
    calls = [body for tag, body in walk(statement.node) if tag == "FuncCall"]
    names = [split_name(body.get("funcname")) for body in calls]
    schemas = [schema or "" for schema, _ in names]
    found = session.rows(QUERIES["may_read"], [schemas, [name for _, name in names]])
    if found:
        raise refused(
            statement,
            f"it calls the function {found[0][0]}, which may read tables (it is not IMMUTABLE):"
            " what is written later would not be in it",
            "put `-- bluegreen: at-cutover` before the statement (it runs in the pause), or fill"
            " the table in a safe migration later",
        )


def seen_copy(
    session: Session, statement: Statement, found: AnalysedCopy, last: Snapshot, now: Snapshot
) -> SeenCopy:
    """`last` and `now` are what was there before and after the statement."""
    target = named_relation(session, found.copy.target, now)
    assert target is not None, "the server took the statement"
    names = found.copy.columns or tuple(column.name for column in target.columns)
    items = []
    for name, expression, bare in zip(names, found.expressions, found.bare, strict=False):
        column, read = target.named(name), found.source.named(bare) if bare else None
        assert column is not None, "the server took the statement"
        items.append(SeenItem(column.attnum, expression, read.attnum if read else None))
    return SeenCopy(
        statement, found.source.oid, target.oid, found.copy.alias, tuple(items),
        found.copy.condition, found.meaning.reads, last, now, found.settings,
    )  # fmt: skip
