"""The data changes of a statement: asked before it runs, told as SeenChange when it has run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shared.adapters.rehearsal.expression_probe import (
    Meaning,
    meaning_settings,
    named_relation,
    row_local_meaning,
)
from shared.domain.identifiers import ident
from shared.mapping.data_changes import DataChange, data_changes
from shared.mapping.held_types import grown_columns
from shared.mapping.snapshot import SeenRelation, Snapshot
from shared.mapping.statements import refused
from shared.mapping.trace import SeenAssignment, SeenChange
from shared.ports import Session
from shared.sql.parse import Statement


@dataclass(frozen=True, slots=True)
class AnalysedChange:
    """A data change of the statement that comes next, as the server understands it."""

    table: int
    change: DataChange
    meaning: Meaning
    settings: dict[str, str]


def analysed_changes(session: Session, statement: Statement, now: Snapshot) -> list[AnalysedChange]:
    """Raises Refused, with the line, for a change that cannot be carried."""
    changes = [(_table(session, statement, c, now), c) for c in data_changes(statement)]
    return [
        AnalysedChange(
            table.oid,
            change,
            row_local_meaning(session, statement, change, table),
            meaning_settings(session),
        )
        for table, change in changes
        if table is not None
    ]


def _table(
    session: Session, statement: Statement, change: DataChange, now: Snapshot
) -> SeenRelation | None:
    """The table that is changed; None when the statement will fail anyhow."""
    table = named_relation(session, change.relation, now)
    if table is not None and not table.is_table:
        raise refused(
            statement,
            f"{table.label} is a {'partition' if table.is_partition else 'view'}",
            "change the table itself, through its root",
        )
    return table


def seen_change(
    statement: Statement, item: AnalysedChange, last: Snapshot, now: Snapshot
) -> SeenChange:
    """`last` and `now` are what was there before and after the statement."""
    columns = {column.name: column.attnum for column in last.relations[item.table].columns}
    return SeenChange(
        statement=statement,
        table=item.table,
        alias=item.change.alias,
        assignments=tuple(
            SeenAssignment(columns[a.column], a.expression, a.plain)
            for a in item.change.assignments
        ),
        condition=item.change.condition,
        reads=item.meaning.reads,
        retypes=item.change.retypes,
        before=last,
        after=now,
        settings=item.settings,
        by_path=item.meaning.by_path,
    )


def grown_types(
    session: Session, statement: Statement, start: Snapshot, last: Snapshot, now: Snapshot
) -> Iterator[SeenChange]:
    """A value that an enum type gets, or that a domain no longer forbids: the source's type does
    not know it, so its columns land as texts, and what does not fit there is noted as any other
    value that does not.

    `start` is what was there before the file.
    """
    grown = {
        kind
        for kind, labels in now.labels.items()
        if kind in start.labels and labels.keys() - last.labels.get(kind, {}).keys()
    }
    grown |= {
        kind
        for kind, domain in now.domains.items()
        if kind in start.domains
        and kind in last.domains
        and set(last.domains[kind].conditions) - set(domain.conditions)
    }
    for table in last.tables():
        columns = grown_columns(table.columns, grown, last)
        if columns and table.oid in start.relations:
            yield SeenChange(
                statement=statement,
                table=table.oid,
                alias=table.name,
                assignments=tuple(
                    SeenAssignment(c.attnum, ident(c.name), plain=True) for c in columns
                ),
                condition=None,
                reads=tuple(column.attnum for column in columns),
                retypes=True,
                before=last,
                after=now,
                settings=meaning_settings(session),
            )
