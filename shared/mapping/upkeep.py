"""Columns that the file drops and that a trigger may keep: while the new side serves nobody does.

Replicated rows fire no trigger of the user's on the old side, and on the new one there is nothing
to keep. So after a rollback such a column still holds what it held at the cutover, even in rows
that changed since.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from shared.mapping.model import Column, Table
from shared.mapping.snapshot import SeenRelation, SeenTrigger, Snapshot


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


def _is_lost(column: Column) -> bool:
    """The file drops it, and nothing brings its value back."""
    without = column.down is None and not column.derived
    return column.kind == "dropped" or (column.kind == "landing" and without)


def _may_keep(relation: SeenRelation, trigger: SeenTrigger, table: Table, column: Column) -> bool:
    own = (relation.namespace, relation.name) == (table.sync.namespace, table.sync.name)
    return _names(trigger.text, column.sync) and (own or _names(trigger.text, table.sync.name))


def _names(text: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) is not None
