"""A table that the file makes anew continues its source: it has the rows as they are.

The source is gone in the end, so it is the same table under another oid, and replication leads
straight into it (a table made anew with partitions).
"""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from dataclasses import replace

from shared.mapping.carried import identity_columns, widens
from shared.mapping.snapshot import SeenRelation
from shared.mapping.statements import refused
from shared.mapping.trace import SeenCopy, Trace

GONE = 10_000
"""Added to the number of a column that the new table does not have: it counts as dropped."""
CHANGE_FIRST = "change the columns with ALTER TABLE in a migration before this one"


def continued(trace: Trace) -> Trace:
    """The same trace, in which a table that was made anew has been the new one all along."""
    before = dict(trace.before.relations)
    first_defaults = dict(trace.first_defaults)
    dropped = dict(trace.dropped_constraints)
    copies = []
    for copy in trace.copies:
        old, new = before.get(copy.source), trace.after.relations.get(copy.target)
        if old is None or new is None or copy.source in trace.after.relations:
            copies.append(copy)
            continue
        _check_continued(copy, old, new, trace)
        places = {item.bare: item.attnum for item in copy.items if item.bare is not None}
        del before[copy.source]
        before[copy.target] = _renumbered(old, copy.target, places)
        made = copy.after.relations[copy.target]
        filled = {item.attnum for item in copy.items}
        for column in made.columns:
            if column.attnum not in filled:
                first_defaults[(copy.target, column.attnum)] = column.default
        left = {constraint.name for constraint in new.constraints}
        gone = [c.name for c in old.constraints if c.kind in "cf" and c.name not in left]
        dropped[copy.target] = (*gone, *dropped.get(copy.target, ()))
    return replace(
        trace,
        before=replace(trace.before, relations=before),
        first_defaults=first_defaults,
        dropped_constraints=dropped,
        copies=tuple(copies),
    )


def _renumbered(table: SeenRelation, oid: int, places: MappingOf[int, int]) -> SeenRelation:
    """The table with another oid, its columns with the numbers that they have there."""

    def place(attnum: int) -> int:
        return places.get(attnum, GONE + attnum)

    def all_of(attnums: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(place(attnum) for attnum in attnums)

    return replace(
        table,
        oid=oid,
        columns=tuple(replace(c, attnum=place(c.attnum)) for c in table.columns),
        constraints=tuple(replace(c, columns=all_of(c.columns)) for c in table.constraints),
        indexes=tuple(replace(index, columns=all_of(index.columns)) for index in table.indexes),
        partial_indexes=tuple(
            replace(index, columns=all_of(index.columns)) for index in table.partial_indexes
        ),
        triggers=(),
    )


def _check_continued(copy: SeenCopy, old: SeenRelation, new: SeenRelation, trace: Trace) -> None:
    """Raises Refused where the new table is more than the old one's rows as they are."""
    if copy.condition is not None:
        raise refused(
            copy.statement,
            f"the new table takes only some rows of {old.label}, which is dropped",
            "delete the others in a safe migration before this one",
        )
    if any(change.table in (copy.source, copy.target) for change in trace.changes):
        raise refused(
            copy.statement,
            f"{old.label} is made anew and its columns are computed, too",
            CHANGE_FIRST,
        )
    for item in copy.items:
        was = old.column(item.bare) if item.bare is not None else None
        column = new.column(item.attnum)
        if was is None:
            raise refused(
                copy.statement,
                f"{old.label} is made anew, and a column of the new table is computed",
                CHANGE_FIRST,
            )
        wider = column is not None and item.bare in identity_columns(old) and widens(was, column)
        same = column is None or was.type_oid == column.type_oid or wider
        if not same:
            raise refused(
                copy.statement,
                f"{old.label} is made anew, and {was.name} gets another type",
                CHANGE_FIRST,
            )
