"""What must hold for a table to be replicated between its two shapes."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.errors import Refused
from shared.domain.objects import REVERSE_TRIGGER
from shared.mapping.readiness_keys import unfound, unfound_by_all_columns
from shared.mapping.snapshot import SeenColumn, SeenRelation
from shared.mapping.statements import refused
from shared.mapping.trace import SeenAssignment, SeenChange, Trace

WIDER_INTEGERS = {("smallint", "integer"), ("smallint", "bigint"), ("integer", "bigint")}


def identity_columns(relation: SeenRelation) -> frozenset[int]:
    """The columns by which replication finds a row; those of the primary key for FULL."""
    return frozenset(key_order(relation))


def key_order(relation: SeenRelation) -> tuple[int, ...]:
    """The same in the order of their index, along which rows can be read without a sort."""
    if relation.replica_identity == "i":
        chosen = [index for index in relation.indexes if index.identity]
    elif relation.replica_identity == "n":
        chosen = []
    else:
        chosen = [index for index in relation.indexes if index.primary and index.immediate]
    return chosen[0].columns if chosen else ()


def widens(before: SeenColumn, after: SeenColumn) -> bool:
    """A change of a key's type under which every old value keeps its text."""
    if (before.type, after.type) in WIDER_INTEGERS or before.type == after.type:
        return True
    if not before.type.startswith("character varying"):
        return False
    wider = after.type == "character varying" or after.typmod > before.typmod > 0
    return after.type == "text" or (after.type.startswith("character varying") and wider)


def is_key_widening(before: SeenRelation, change: SeenChange, assignment: SeenAssignment) -> bool:
    """A key's column that only gets a wider type: it replicates directly, without a landing."""
    if assignment.attnum not in identity_columns(before) or not change.retypes:
        return False
    old, new = (
        snapshot.relations[before.oid].column(assignment.attnum)
        for snapshot in (change.before, change.after)
    )
    return assignment.plain and old is not None and new is not None and widens(old, new)


def check_table(
    before: SeenRelation, after: SeenRelation, trace: Trace, changes: list[SeenChange]
) -> None:
    """Raises Refused when rows of this table cannot follow from one shape to the other."""
    key = identity_columns(before)
    for change in changes:
        for assignment in change.assignments:
            made = change.after.relations[before.oid].column(assignment.attnum)
            if made is not None and made.never_null:
                raise refused(
                    change.statement,
                    f"{before.label}.{made.name} is computed and of a domain that takes no NULL,"
                    " which no variable of a trigger can begin as",
                    "put NOT NULL on the column, not on the domain",
                )
            if assignment.attnum in key and not is_key_widening(before, change, assignment):
                raise refused(
                    change.statement,
                    f"a column of the key of {before.label} gets other values",
                    "give the table another unique key first (REPLICA IDENTITY USING INDEX), or"
                    " use --type maintenance",
                )
        if before.inherits:
            raise refused(
                change.statement,
                f"{before.label} has or is an inherited table",
                "use --type maintenance",
            )
    if after.inherits and not before.inherits:
        raise Refused(
            f"{before.label} gets an inherited table or becomes one, on one side only",
            remedy="do it in a safe migration before or after this one, or use --type maintenance",
        )
    _check_names_are_own(before, after)
    _check_identity(before)
    _check_triggers(before, after, changes)
    by_key = is_found_by_key(before, after, changes)
    if (before.replica_identity != "f" or by_key) and identity_columns(after) != key:
        _check_old_key_stays(before, after, key)
    if before.replica_identity == "f" and changes_columns(before, after, changes) and not by_key:
        why, remedy = unfound_by_all_columns(before.label)
        raise Refused(why, remedy=remedy)
    assigned = {item.attnum for change in changes for item in change.assignments}
    for column in before.columns:
        _check_column(before, column, after.column(column.attnum), assigned)


def changes_columns(
    before: SeenRelation, after: SeenRelation, changes: Iterable[SeenChange]
) -> bool:
    """More than their names: columns come, go, or get other values."""
    return bool(list(changes)) or {c.attnum for c in before.columns} != {
        c.attnum for c in after.columns
    }


def is_found_by_key(
    before: SeenRelation, after: SeenRelation, changes: Iterable[SeenChange]
) -> bool:
    """A table whose identity is FULL and whose columns change, but which has a primary key: apply
    finds rows by that. The source goes on to send all columns, so those that the file drops land;
    the target must send some of them only, so there the key is the identity until the job ends."""
    return (
        before.replica_identity == "f"
        and before.kind == "r"
        and bool(identity_columns(before))
        and changes_columns(before, after, changes)
    )


def _check_old_key_stays(before: SeenRelation, after: SeenRelation, key: frozenset[int]) -> None:
    """Another key is fine while the columns of the old one go on to name each row."""
    left = [after.column(attnum) for attnum in key]
    if before.kind == "p" or any(column is None or not column.not_null for column in left):
        raise Refused(
            f"the file changes the key of {before.label}, by which replication finds its rows",
            remedy="keep the columns of the old key, and NOT NULL, until a migration after this"
            " one; or use --type maintenance",
        )


def _check_names_are_own(before: SeenRelation, after: SeenRelation) -> None:
    """Names change table by table in the pause, and an inherited column's only with its parent's.
    Raises Refused."""
    for column in before.columns if before.inherits else ():
        last = after.column(column.attnum)
        if (after.named(column.name) is not None) if last is None else last.name != column.name:
            raise Refused(
                f"{before.label} has or is an inherited table, and {column.name} gets another name,"
                " or another column its name",
                remedy="leave the names of its columns, or use --type maintenance",
            )


def _check_identity(table: SeenRelation) -> None:
    """A published table without one refuses every UPDATE, on the side that serves."""
    if table.replica_identity != "f" and not identity_columns(table):
        why, remedy = unfound(table.label)
        raise Refused(why, remedy=remedy)
    unlike = [c for c in table.columns if not c.comparable]
    if table.replica_identity == "f" and not identity_columns(table) and unlike:
        raise Refused(
            f"{table.label} is found by all its columns, and {unlike[0].name} is of type"
            f" {unlike[0].type}, whose values no server compares: no row of it could be changed",
            remedy="add a primary key in a migration before this one",
        )


def _check_triggers(before: SeenRelation, after: SeenRelation, changes: list[SeenChange]) -> None:
    """Until `finish` our trigger takes the row's old shape from what all others made of the row.
    Raises Refused where one fires behind it."""
    behind = [t.name for t in after.triggers if t.name.encode() > REVERSE_TRIGGER.encode()]
    if behind and changes_columns(before, after, changes):
        raise Refused(
            f"trigger {behind[0]} of {after.label} fires last, behind ours: what it makes of a row"
            " would not come back in a rollback",
            remedy=f"rename it in a safe migration before this one, to a name that sorts before"
            f" {REVERSE_TRIGGER!r}",
        )


def _check_column(
    table: SeenRelation, old: SeenColumn, new: SeenColumn | None, assigned: set[int]
) -> None:
    if new is None:
        return
    if old.generated and not new.generated:
        raise Refused(
            f"{table.label}.{old.name} stops being generated, so nothing would fill it on the"
            " target",
            remedy="add a new column and fill it, or use --type maintenance",
        )
    retyped = (old.type_oid, old.typmod) != (new.type_oid, new.typmod)
    if retyped and old.attnum not in assigned and not old.generated and not widens(old, new):
        raise Refused(
            f"{table.label}.{old.name} changes from {old.type} to {new.type} in a way that was"
            " not seen in the file",
            remedy="use ALTER TABLE ... ALTER COLUMN ... TYPE",
        )
