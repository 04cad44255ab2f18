"""The columns of one table: which stand on which side, and under which name in which state."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from shared.domain.identifiers import ident, literal
from shared.mapping.carried import identity_columns, is_found_by_key, is_key_widening
from shared.mapping.held_types import check_labels_stay, known_values
from shared.mapping.model import Column
from shared.mapping.names import COMPUTED, DROPPED, LANDING, NEW, ours
from shared.mapping.snapshot import SeenColumn, SeenRelation
from shared.mapping.trace import SeenChange, SeenCopy, SeenDown, Trace

FILL_BY_CATEGORY = {"S": "", "N": "0", "B": "false", "D": "1970-01-01", "T": "0", "A": "{}"}
"""`pg_type.typcategory` to the text of a constant that means nothing."""
FILL_BY_TYPE = {
    "json": "{}",
    "jsonb": "{}",
    "uuid": "00000000-0000-0000-0000-000000000000",
    "bytea": "",
    "time without time zone": "00:00",
    "time with time zone": "00:00+00",
}


def landing_columns(
    before: SeenRelation,
    after: SeenRelation,
    changes: Sequence[SeenChange],
    copies: Iterable[SeenCopy] = (),
    downs: Iterable[SeenDown] = (),
) -> frozenset[int]:
    """Attribute numbers of the columns that need one.

    Each that the file computes anew (even a USING that keeps the type, which no catalog shows),
    and each that it drops after an expression has read it, or with a `down`, or that the source
    must send: a row that changes its partition is sent as one that went and one that came, with
    all its values.
    """
    found: set[int] = set()
    if before.kind == "p" or is_found_by_key(before, after, changes):
        found |= {c.attnum for c in before.columns if not c.generated} - {
            c.attnum for c in after.columns
        }
    found |= {
        c.attnum
        for c in before.columns
        if after.column(c.attnum) is None
        and not c.generated
        and _given_down(before, c, None, downs) is not None
    }
    for copy in copies:
        found |= {attnum for attnum in copy.reads if after.column(attnum) is None}
    for change in changes:
        found |= {
            item.attnum
            for item in change.assignments
            if before.column(item.attnum) and not is_key_widening(before, change, item)
        }
        found |= {
            attnum
            for attnum in change.reads
            if before.column(attnum) and after.column(attnum) is None
        }
    return frozenset(found)


def columns_of(
    before: SeenRelation, after: SeenRelation, trace: Trace, landing: frozenset[int]
) -> list[Column]:
    """Old columns in their order, then what the target has besides."""
    sync_names = {c.name for c in before.columns if c.attnum in landing or after.column(c.attnum)}
    final_on_source = {ours(LANDING, c.name) for c in before.columns if c.attnum in landing}
    final_on_source |= {
        new.name
        for old in before.columns
        if old.attnum not in landing and (new := after.column(old.attnum))
    }
    found = []
    for old in before.columns:
        new = after.column(old.attnum)
        if old.attnum in landing:
            found.append(_landing(before, after, old, trace))
            if new is not None:
                sync = ours(COMPUTED, new.name)
                found.append(Column(kind="computed", sync=sync, final=new.name, type=new.type))
        elif new is not None:
            found.append(_on_both(before, old, new))
        else:
            found.append(_dropped(old, final_on_source))
    known = {column.attnum for column in before.columns}
    for new in after.columns:
        if new.attnum not in known:
            sync = ours(NEW, new.name) if new.name in sync_names else new.name
            start = constant(new, trace.first_defaults.get((before.oid, new.attnum)))
            found.append(Column(kind="new", sync=sync, final=new.name, type=new.type, start=start))
    return found


def constant(column: SeenColumn, default: str | None) -> str | None:
    """The value with which a column is added, where it is the same for every row."""
    if column.generated or column.identity or (default and "(" in default):
        return None
    return default or "NULL"


def _on_both(table: SeenRelation, old: SeenColumn, new: SeenColumn) -> Column:
    return Column(
        kind="generated" if old.generated else "kept",
        sync=old.name,
        final=new.name,
        type=new.type,
        source_type=old.type,
        collation=new.collation,
        key=old.attnum in identity_columns(table),
    )


def _landing(before: SeenRelation, after: SeenRelation, old: SeenColumn, trace: Trace) -> Column:
    new = after.column(old.attnum)
    given = _given_down(before, old, new, trace.downs)
    if given is not None:
        names = [after.column(attnum) for attnum in given.reads]
        down, reads = given.expression, [column.name for column in names if column]
    elif new is not None:
        down, reads = ident(new.name), [new.name]
    else:
        down, reads = None, []
    check_labels_stay(old, trace)
    unique = {attnum for index in before.indexes for attnum in index.columns}
    alike = down is None and old.attnum in unique  # one constant for many rows would not do
    return Column(
        kind="landing",
        sync=old.name,
        final=ours(LANDING, old.name),
        type=old.type if old.built_in else "text",
        source_type=old.type,
        collation=old.collation,
        not_null=old.not_null,
        fill=None if alike else fill_for(old),
        checks=[] if down is None else checks_of(before, old, trace),
        born=old.default if down is None and _is_constant(old) else None,
        down=down,
        down_given=given is not None,
        down_reads=reads,
    )


def _is_constant(column: SeenColumn) -> bool:
    """Its default calls no function, whose answer may be of one side only: a sequence's numbers."""
    return column.built_in and column.default is not None and "(" not in column.default


def checks_of(table: SeenRelation, column: SeenColumn, trace: Trace) -> list[str]:
    """Conditions over the column's name that a value must meet to be taken by the source."""
    return [*carried_checks(table, column, trace), *known_values(column, trace)]


def carried_checks(table: SeenRelation, column: SeenColumn, trace: Trace) -> list[str]:
    """Conditions over this column alone that the source goes on to check; of a type of the
    user's, whose values travel as text, none."""
    gone = trace.dropped_constraints.get(table.oid, ())
    return [
        constraint.condition
        for constraint in table.constraints
        if constraint.condition is not None
        and column.built_in
        and constraint.name not in gone
        and set(constraint.columns) == {column.attnum}
    ]


def _given_down(
    table: SeenRelation, old: SeenColumn, new: SeenColumn | None, downs: Iterable[SeenDown]
) -> SeenDown | None:
    name = new.name if new else old.name
    return next((d for d in downs if d.table == table.oid and d.column == name), None)


def _dropped(old: SeenColumn, taken: set[str]) -> Column:
    return Column(
        kind="dropped",
        sync=old.name,
        final=ours(DROPPED, old.name) if old.name in taken else old.name,
        type=old.type,
        not_null=old.not_null and old.default is None and not old.identity and not old.generated,
        fill=fill_for(old),
    )


def fill_for(column: SeenColumn) -> str | None:
    """A constant for rows that were born without the column; None where none is known."""
    if not column.built_in:
        return None
    kind = re.sub(r"\(\d+\)", "", column.type)  # time(3) without time zone
    text = FILL_BY_TYPE.get(kind, FILL_BY_CATEGORY.get(column.category))
    return None if text is None else f"{literal(text)}::{column.type}"
