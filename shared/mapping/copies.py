"""Tables that the file makes of others: one continues its source, or is derived from it.

continued  the source is gone in the end, the new table has its rows as they are: it is the same
           table under another oid, and replication leads straight into it (a table made anew with
           partitions)
derived    the source stays: the new table is not replicated, triggers fill it from the source's
           rows (a table that is split in two)
"""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from dataclasses import replace

from shared.domain.errors import Refused
from shared.domain.identifiers import ident
from shared.mapping.carried import identity_columns, key_order, widens
from shared.mapping.chain_model import Read, Value
from shared.mapping.chains import type_at_end
from shared.mapping.columns import carried_checks, fill_for
from shared.mapping.derived_model import Derived, Filled, PutBack
from shared.mapping.model import Moved, Table
from shared.mapping.name_states import Name
from shared.mapping.names import LANDING, ours
from shared.mapping.snapshot import SeenColumn, SeenRelation
from shared.mapping.statements import refused
from shared.mapping.trace import SeenCopy, SeenDown, Trace

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
        before[copy.target] = renumbered(old, copy.target, places)
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


def renumbered(table: SeenRelation, oid: int, places: MappingOf[int, int]) -> SeenRelation:
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


def derived_tables(
    trace: Trace, tables: MappingOf[int, Table], aside: list[Moved]
) -> list[Derived]:
    """One for each copy of a replicated table. `tables` by oid."""
    sync = {moved.final: moved.sync for moved in aside}
    found = []
    targets: set[int] = set()
    for copy in trace.copies:
        target = trace.after.relations.get(copy.target)
        if target is None:
            continue  # a table for the time of the file
        if copy.target in targets or copy.target in tables:
            raise refused(copy.statement, f"{target.label} is filled twice", "fill it once")
        targets.add(copy.target)
        final = Name(target.namespace, target.name)
        found.append(_derived(trace, copy, target, tables, sync.get(final, final)))
    return found


def _derived(
    trace: Trace,
    copy: SeenCopy,
    target: SeenRelation,
    tables: MappingOf[int, Table],
    sync: Name,
) -> Derived:
    table = tables.get(copy.source)
    if table is None:
        raise refused(
            copy.statement,
            "the table that is copied is dropped or not replicated, and the new one does not take"
            " its place",
            "keep it until a migration after this one",
        )
    if any(change.table == copy.target for change in trace.changes):
        raise refused(
            copy.statement,
            f"{target.label} is changed after it was filled",
            "compute its columns in the statement that fills it",
        )
    before, after = trace.before.relations[copy.source], trace.after.relations[copy.source]
    return Derived(
        line=copy.statement.line,
        source=table.final,
        sync=sync,
        final=Name(target.namespace, target.name),
        alias=copy.alias,
        reads=[_read(copy, attnum, before, after, table, trace) for attnum in copy.reads],
        condition=copy.condition,
        filled=[
            Filled(
                column=column.name,
                type=type_at_end(column, trace.after, trace.after) or column.type,
                expression=item.expression,
            )
            for item in copy.items
            if (column := target.column(item.attnum)) is not None
        ],
        key=_key(copy, before, target),
        settings=copy.settings,
        put_back=_put_back(trace, copy, before, after, target),
    )


def _key(copy: SeenCopy, before: SeenRelation, target: SeenRelation) -> list[str]:
    """Columns of the new table that hold the whole key. Raises Refused without a unique one."""
    places = {item.bare: item.attnum for item in copy.items if item.bare is not None}
    wanted = key_order(before)
    columns = [target.column(places.get(attnum, -1)) for attnum in wanted]
    names = [column.name for column in columns if column is not None]
    numbers = {column.attnum for column in columns if column is not None}
    unique = any(set(index.columns) == numbers for index in target.indexes)
    if not wanted or len(names) < len(wanted) or not unique:
        raise refused(
            copy.statement,
            f"{target.label} holds no unique copy of the key of {before.label}, so its rows could"
            " not follow",
            f"copy the key of {before.label} and make it the primary key, or UNIQUE",
        )
    return names


def _read(
    copy: SeenCopy,
    attnum: int,
    before: SeenRelation,
    after: SeenRelation,
    table: Table,
    trace: Trace,
) -> Read:
    """Where the value of that moment in the file is found in the row of the target."""
    moment = copy.before.relations[copy.source].column(attnum)
    assert moment is not None, "a statement reads what is there"
    when = copy.statement.start
    written = [
        change.statement.start
        for change in trace.changes
        if change.table == copy.source
        for item in change.assignments
        if item.attnum == attnum
    ]
    old, new = before.column(attnum), after.column(attnum)
    if written and min(written) < when < max(written):
        raise refused(
            copy.statement,
            f"{moment.name} is computed both before and after it is copied",
            "compute it once, or copy it at the end",
        )
    landed = old is not None and any(
        column.kind == "landing" and column.sync == old.name for column in table.columns
    )
    if landed and old is not None and not (written and max(written) < when):
        kind = None if old.built_in else type_at_end(moment, copy.before, trace.after)
        return Read(name=moment.name, value=Value(column=ours(LANDING, old.name), cast=kind))
    if new is None or (written and min(written) > when and old is None):
        raise refused(
            copy.statement,
            f"{moment.name} is not in the row any more when the file has run",
            "copy columns that stay, or that were there before",
        )
    return Read(name=moment.name, value=Value(column=new.name))


def _put_back(
    trace: Trace,
    copy: SeenCopy,
    before: SeenRelation,
    after: SeenRelation,
    target: SeenRelation,
) -> list[PutBack]:
    """The columns that only the new table has in the end: by `down`, or as they were copied."""
    found = []
    unused = [down for down in trace.downs if down.table == copy.target]
    bare = {item.bare: target.column(item.attnum) for item in copy.items if item.bare is not None}
    for column in before.columns:
        if column.attnum not in copy.reads or after.column(column.attnum) is not None:
            continue
        given = _given(trace, copy.target, column, bare.get(column.attnum))
        unused = [down for down in unused if down is not given]
        names = [target.column(attnum) for attnum in given.reads] if given else []
        copied = bare.get(column.attnum)
        if given is not None:
            expression, reads = given.expression, [c.name for c in names if c is not None]
        elif copied is not None:
            expression, reads = ident(copied.name), [copied.name]
        else:
            continue
        found.append(
            PutBack(
                landing=ours(LANDING, column.name),
                sync=column.name,
                type=column.type if column.built_in else "text",
                expression=expression,
                reads=reads,
                fill=(column.not_null and fill_for(column)) or "NULL",
                checks=carried_checks(before, column, trace),
            )
        )
    for down in unused:
        raise Refused(
            f"line {down.line}: down {target.label}.{down.column} names no column that"
            f" {before.label} loses to it",
            remedy="name the column that the old table loses, or remove the directive",
        )
    return found


def _given(
    trace: Trace, target: int, column: SeenColumn, copied: SeenColumn | None
) -> SeenDown | None:
    names = {column.name} | ({copied.name} if copied is not None else set())
    return next((d for d in trace.downs if d.table == target and d.column in names), None)


def given_back(tables: list[Table], derived: list[Derived]) -> list[Table]:
    """Marks the landing columns whose values a derived table gives back."""
    back = {(made.source, each.landing): each for made in derived for each in made.put_back}
    if not back:
        return tables
    return [
        table.model_copy(
            update={
                "columns": [
                    column.model_copy(update={"derived": True})
                    if column.kind == "landing" and (table.final, column.final) in back
                    else column
                    for column in table.columns
                ]
            }
        )
        for table in tables
    ]
