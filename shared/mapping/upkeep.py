"""What people must know of triggers and partitions while a job is live.

Columns that the file drops and that a trigger may keep: while the new side serves nobody does.

Replicated rows fire no trigger of the user's on the old side, and on the new one there is nothing
to keep. So after a rollback such a column still holds what it held at the cutover, even in rows
that changed since.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from shared.domain.errors import Refused
from shared.mapping.model import Column, Table
from shared.mapping.name_states import Name
from shared.mapping.snapshot import SeenRelation, SeenTrigger, Snapshot

WHOLE_ROW = re.compile(r"[(,]\s*(new|old)\s*(\.\s*\*\s*)?[,)]", re.IGNORECASE)
"""`to_jsonb(new)` in a trigger's function."""
EVERY_COLUMN = re.compile(r"\b(new|old)\s*\)?\s*\.\s*\*", re.IGNORECASE)
"""`old.*`, as many values as the row has columns."""
ONE_VALUE = re.compile(
    r"(?<!\w)(?!values\b|row\b)\w+\s*\(\s*(new|old)\s*\.\s*\*\s*\)"  # hstore(old.*)
    r"|(new|old)\s*\.\s*\*\s*\)?\s*(is\s+(not\s+)?distinct\s+from|\*?=|\*?<>)\s*\(?\s*(new|old)\s*\.\s*\*",
    re.IGNORECASE,
)
"""The same where it is taken as one value, or compared with another: that works with more."""


def unkept(before: Snapshot, tables: Iterable[Table]) -> Iterator[str]:
    """A sentence for each column without a way back that a trigger of the old shape names."""
    lost = [(table, column) for table in tables for column in table.columns if _is_lost(column)]
    for relation in before.relations.values():
        for trigger in () if relation.is_partition else relation.triggers:
            for table, column in lost:
                if _may_keep(relation, trigger, table, column):
                    down = f"down {table.final.label}.{column.sync} = .."
                    yield (
                        f"{table.sync.label}.{column.sync} is dropped, and trigger {trigger.name}"
                        f" of {relation.label} names it: if it keeps the column, rows that change"
                        " after the cutover come back from a rollback with a stale one, unless"
                        f" `-- bluegreen: {down}` computes it"
                    )


def check_whole_rows(after: SeenRelation, landing: frozenset[int]) -> None:
    """Raises Refused for a trigger that would find more columns than it has room for until
    `finish`: the application's own statement would fail with it."""
    for trigger in after.triggers if landing else ():
        if EVERY_COLUMN.search(ONE_VALUE.sub("", trigger.text)):
            raise Refused(
                f"trigger {trigger.name} of {after.label} takes all columns of the row (new.* or"
                " old.*): until `finish` there would be ours, too, and it would fail",
                remedy="name the columns in its function, in a safe migration before this one",
            )


def whole_rows(after: Snapshot, tables: Iterable[Table]) -> Iterator[str]:
    """A sentence for each trigger that takes a row as a whole, with our columns in it."""
    landed = {(table.final.namespace, table.final.name) for table in tables if table.of("landing")}
    for relation in after.relations.values():
        for trigger in relation.triggers if (relation.namespace, relation.name) in landed else ():
            if WHOLE_ROW.search(trigger.text):
                yield (
                    f"trigger {trigger.name} of {relation.label} takes the row as a whole: until"
                    " `finish` the columns of ours are in it, too, and stay in what it stores"
                )


def partitions(before: Snapshot, tables: Iterable[Table]) -> Iterator[str]:
    """A sentence for each partitioned table that is replicated through its root."""
    whole = {(table.sync.namespace, table.sync.name) for table in tables if not table.partitions}
    for relation in before.relations.values():
        if relation.kind == "p" and (relation.namespace, relation.name) in whole:
            yield (
                f"{relation.label} is replicated as a whole, not by its partitions: TRUNCATE of one"
                " before the cutover ends the job, DELETE its rows instead"
            )


def many_to_one(before: Snapshot, tables: Iterable[Table]) -> Iterator[str]:
    """A sentence for each column that comes back computed and must be unique on the old side."""
    by_name = {table.sync: table for table in tables}
    for relation in before.relations.values():
        table = by_name.get(Name(relation.namespace, relation.name))
        names = _unique_columns(relation) if table else set()
        for column in table.of("landing") if table else ():
            if column.sync in names and (column.down is not None or column.derived):
                yield (
                    f"{relation.label}.{column.sync} must be unique on the old side, and what is"
                    f" written on the new one comes back to it by {column.down or 'what it holds'}:"
                    " two rows whose values are one there, or that do not fit, stop the way back;"
                    " `rollback` is refused then until a person mends them"
                )


def _unique_columns(relation: SeenRelation) -> set[str]:
    """Names of the columns that a unique index or an exclusion constraint reads."""
    excluding = (c.columns for c in relation.constraints if c.kind == "x")
    plain = (index.columns for index in relation.indexes)
    partial = (index.columns for index in relation.partial_indexes)
    found = {attnum for columns in (*excluding, *plain, *partial) for attnum in columns}
    return {column.name for column in relation.columns if column.attnum in found}


def _is_lost(column: Column) -> bool:
    """The file drops it, and nothing brings its value back."""
    without = column.down is None and not column.derived
    return column.kind == "dropped" or (column.kind == "landing" and without)


def _may_keep(relation: SeenRelation, trigger: SeenTrigger, table: Table, column: Column) -> bool:
    own = (relation.namespace, relation.name) == (table.sync.namespace, table.sync.name)
    return _names(trigger.text, column.sync) and (own or _names(trigger.text, table.sync.name))


def _names(text: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) is not None
