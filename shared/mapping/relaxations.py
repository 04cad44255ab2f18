"""What the source must not insist on while rows that were born on the target come back to it.

Reverse apply fires no trigger; it does check NOT NULL, CHECK and unique indexes. Foreign keys it
does not check, so one that the file drops is put back unchecked, and then validated: orphans would
stand under a key that says there are none. A temporary default is preferred to a relaxed NOT NULL:
a rollback then needs no scan. What was unique stays so on the target (retained.py).
"""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.errors import Refused
from shared.domain.identifiers import ident, literal
from shared.mapping.carried import identity_columns
from shared.mapping.columns import carried_checks, fill_for
from shared.mapping.model import Relaxation
from shared.mapping.name_states import Name
from shared.mapping.names import ours
from shared.mapping.snapshot import SeenColumn, SeenConstraint, SeenRelation
from shared.mapping.trace import Trace

PROOF = "bluegreen_p_"
"""A CHECK that lets SET NOT NULL skip its scan under the strong lock."""
SETTLE = """
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = {table}::regclass
               AND conname = {constraint} AND NOT convalidated) THEN
        {deeds};
    END IF;
EXCEPTION WHEN check_violation OR foreign_key_violation THEN
    RAISE WARNING '%', sqlerrm;
END
"""


def relaxations_of(
    before: SeenRelation, after: SeenRelation, trace: Trace, landing: frozenset[int]
) -> list[Relaxation]:
    """All for one table; their statements use the names of state sync."""
    dropped = {c.attnum for c in before.columns if after.column(c.attnum) is None} - landing
    table = Name(before.namespace, before.name).sql
    found = list(_not_null(before, after, landing, dropped, table))
    carried = {
        check
        for column in before.columns
        if column.attnum in landing and not column.not_null  # NULL stands for what is lost
        for check in carried_checks(before, column, trace)
    }
    gone = set(trace.dropped_constraints.get(before.oid, ()))
    for constraint in before.constraints:
        touched = not (dropped | landing).isdisjoint(constraint.columns)
        harms = constraint.name in gone or (touched and constraint.condition not in carried)
        if constraint.kind == "c" and harms:
            found.append(_unchecked(constraint, table))
        if constraint.kind == "f" and constraint.name in gone and before.kind != "p":
            found.append(_unchecked(constraint, table))
    return [*found, *_of_dropped_tables(before, trace)]


def _of_dropped_tables(referenced: SeenRelation, trace: Trace) -> Iterable[Relaxation]:
    """Foreign keys of tables that stand on the source only: rows that they point at may go on the
    target, and nothing of that is asked on the source."""
    for oid, relation in trace.before.relations.items():
        if oid in trace.after.relations or relation.kind != "r":
            continue
        name = Name(relation.namespace, relation.name)
        for constraint in relation.constraints:
            if constraint.kind == "f" and constraint.referenced == referenced.oid:
                yield _unchecked(constraint, name.sql).model_copy(update={"table": name})


def _not_null(
    before: SeenRelation,
    after: SeenRelation,
    landing: frozenset[int],
    dropped: set[int],
    table: str,
) -> Iterable[Relaxation]:
    unique = {attnum for index in before.indexes for attnum in index.columns}
    key = identity_columns(before)
    for column in before.columns:
        if not column.not_null or column.generated:
            continue
        new = after.column(column.attnum)
        if column.attnum in dropped:
            if column.attnum in key:
                raise Refused(
                    f"the file drops {before.label}.{column.name}, a column of the key",
                    remedy="give the table another unique key first, or use --type maintenance",
                )
            if column.default is None and not column.identity:
                yield _without_value(column, table, column.attnum in unique)
        elif column.attnum in landing:
            if fill_for(column) is None or (new is None and column.attnum in unique):
                yield _nullable(column, table)
        elif new is not None and not new.not_null:
            yield _nullable(column, table)


def _without_value(column: SeenColumn, table: str, unique: bool) -> Relaxation:
    fill = fill_for(column)
    if fill is None or unique:
        return _nullable(column, table)
    name = ident(column.name)
    return Relaxation(
        what=f"{column.name} gets {fill} as its default",
        relax=[f"ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT {fill}"],
        restore=[f"ALTER TABLE {table} ALTER COLUMN {name} DROP DEFAULT"],
    )


def _nullable(column: SeenColumn, table: str) -> Relaxation:
    name, proof = ident(column.name), ident(ours(PROOF, column.name))
    return Relaxation(
        what=f"{column.name} may be NULL",
        relax=[f"ALTER TABLE {table} ALTER COLUMN {name} DROP NOT NULL"],
        restore=[
            f"ALTER TABLE {table} ADD CONSTRAINT {proof} CHECK ({name} IS NOT NULL) NOT VALID"
        ],
        settle=_settled(
            table,
            ours(PROOF, column.name),
            f"ALTER TABLE {table} ALTER COLUMN {name} SET NOT NULL",
            f"ALTER TABLE {table} DROP CONSTRAINT {proof}",
        ),
    )


def _unchecked(constraint: SeenConstraint, table: str) -> Relaxation:
    name = ident(constraint.name)
    definition = constraint.definition.removesuffix(" NOT VALID")
    valid = definition == constraint.definition
    return Relaxation(
        what=f"{constraint.name} is not checked",
        relax=[f"ALTER TABLE {table} DROP CONSTRAINT {name}"],
        restore=[f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition} NOT VALID"],
        settle=_settled(table, constraint.name) if valid else [],
    )


def _settled(table: str, constraint: str, *then: str) -> list[str]:
    """Validate what was put back unchecked, and go on; nothing where that never happened.

    Rows that break it stay, and so does the constraint, not validated: a person decides.
    """
    validate = f"ALTER TABLE {table} VALIDATE CONSTRAINT {ident(constraint)}"
    body = SETTLE.format(
        table=literal(table), constraint=literal(constraint), deeds="; ".join((validate, *then))
    )
    return [f"DO {literal(body)}"]
