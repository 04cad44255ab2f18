"""Tables that the file derives from others, whose source stays (a table that is split in two).

They are not replicated: triggers fill them from the source's rows.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingOf

from shared.domain.errors import Refused
from shared.domain.identifiers import ident
from shared.mapping.carried import key_order
from shared.mapping.chain_model import Read, Value
from shared.mapping.chains import type_at_end
from shared.mapping.columns import checks_of, fill_for
from shared.mapping.derived_model import Derived, Filled, PutBack
from shared.mapping.model import Moved, Table
from shared.mapping.name_states import Name
from shared.mapping.names import LANDING, ours
from shared.mapping.snapshot import SeenColumn, SeenRelation
from shared.mapping.statements import refused
from shared.mapping.trace import SeenCopy, SeenDown, Trace


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
    unique = any(index.immediate and set(index.columns) == numbers for index in target.indexes)
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
                checks=checks_of(before, column, trace),
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
