"""From what a rehearsal saw to the mapping: each table in both shapes, and what is carried how.

Raises Refused, with line and remedy, for what replication between the two shapes cannot carry.
"""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.errors import Refused
from shared.mapping import moved_names
from shared.mapping.carried import check_table, is_found_by_key, key_order
from shared.mapping.carried_file import check_file
from shared.mapping.chains import build_chains, live_changes
from shared.mapping.columns import columns_of, landing_columns
from shared.mapping.continued import continued
from shared.mapping.derived.tables import derived_tables, given_back
from shared.mapping.model import ForeignKey, Mapping, Relabelled, Table
from shared.mapping.moved_names import name_of
from shared.mapping.partitions import partitions_by_themselves, partitions_of
from shared.mapping.relaxations import relaxations_of
from shared.mapping.report import with_report
from shared.mapping.retained import retained_of
from shared.mapping.snapshot import SeenRelation
from shared.mapping.statements import refused
from shared.mapping.trace import SeenChange, Trace
from shared.mapping.upkeep import check_whole_rows


def derive(trace: Trace) -> Mapping:
    """The mapping of one file. See the model for what its parts mean."""
    check_file(trace)
    trace = continued(trace)
    end = {relation.oid: relation for relation in trace.after.tables()}
    start = {relation.oid: relation for relation in trace.before.tables()}
    _check_downs(trace)
    tables = [_table(start[oid], end[oid], trace) for oid in start if oid in end]
    gone = [relation for oid, relation in start.items() if oid not in end]
    made = [relation for oid, relation in end.items() if oid not in start]
    _check_not_recreated(gone, made, trace)
    sequences = list(moved_names.sequences(trace, tables))
    aside = list(moved_names.aside(trace.after, tables, sequences))
    derived = derived_tables(
        trace,
        {
            oid: table
            for oid, table in zip((oid for oid in start if oid in end), tables, strict=True)
        },
        aside,
    )
    mapping = Mapping(
        tables=given_back(tables, derived),
        derived=derived,
        created=[name_of(relation) for relation in made],
        dropped=[name_of(relation) for relation in gone],
        moved_on_target=[*sequences, *aside],
        moved_on_source=[*sequences, *moved_names.in_the_way(trace.before, tables, sequences)],
        relabelled=list(_relabelled(trace)),
        foreign_keys=list(_foreign_keys(trace)),
    )
    return with_report(mapping, trace)


def _table(before: SeenRelation, after: SeenRelation, trace: Trace) -> Table:
    changes = live_changes(after, (c for c in trace.changes if c.table == before.oid))
    copies = [copy for copy in trace.copies if copy.source == before.oid]
    landing = landing_columns(before, after, changes, copies, trace.downs)
    check_table(before, after, trace, changes)
    check_whole_rows(after, landing)
    own = [] if copies else partitions_by_themselves(before, after, trace.before, trace.after)
    return Table(
        sync=name_of(before),
        final=name_of(after),
        columns=columns_of(before, after, trace, landing),
        key=_names(before, key_order(before)),
        identity_full=before.replica_identity == "f",
        found_by_key=is_found_by_key(before, after, changes),
        only=before.inherits,
        nested=before.nested or after.nested,
        partitions=own,
        emptied_by_rows=[] if own else partitions_of(after, trace.after),
        chains=build_chains(before, after, trace.after, changes, landing, trace.first_defaults),
        added_defaults=_added_defaults(before, after, trace, changes),
        settings=_settings(changes),
        relaxations=relaxations_of(before, after, trace, landing),
        retained=retained_of(before, after, landing, changes),
        triggers_off=_triggers_off(before, after, changes),
    )


def _added_defaults(
    before: SeenRelation, after: SeenRelation, trace: Trace, changes: list[SeenChange]
) -> dict[str, str]:
    """New columns that later rows must get with the default they were added with."""
    computed = {item.attnum for change in changes for item in change.assignments}
    found = {}
    for column in after.columns:
        key = (before.oid, column.attnum)
        if key not in trace.first_defaults or column.attnum in computed or column.generated:
            continue
        first = trace.first_defaults[key]
        if first != column.default and not column.identity:
            found[column.name] = first or "NULL"
    return found


def _settings(changes: list[SeenChange]) -> dict[str, str]:
    settings: dict[str, str] = {}
    for change in changes:
        if settings and settings != change.settings:
            raise refused(
                change.statement,
                "two statements on one table compute under different settings",
                "set search_path and time zone once, at the top of the file",
            )
        settings = change.settings
    return settings


def _triggers_off(
    before: SeenRelation, after: SeenRelation, changes: list[SeenChange]
) -> dict[str, str]:
    """The user's triggers that the file's UPDATE would fire; apply fires none either."""
    updates = [change for change in changes if not change.retypes]
    if not updates:
        return {}
    made_before = {trigger.oid: trigger for trigger in before.triggers}
    for change in updates:
        then = change.before.relations[before.oid].triggers
        if any(t.on_update and t.enabled == "O" and t.oid not in made_before for t in then):
            raise refused(
                change.statement,
                "the UPDATE would fire a trigger that the file itself makes",
                "create the trigger after the UPDATE",
            )
    left = {trigger.oid: trigger for trigger in after.triggers}
    return {
        trigger.name: left[trigger.oid].name
        for trigger in before.triggers
        if trigger.on_update and trigger.enabled == "O" and trigger.oid in left
    }


def _check_downs(trace: Trace) -> None:
    """Every `down` must name a column whose old value is kept; otherwise it is a mistake."""
    for down in trace.downs:
        before, after = trace.before.relations.get(down.table), trace.after.relations[down.table]
        column = after.named(down.column)
        old = before.named(down.column) if before else None
        dropped = old is not None and after.column(old.attnum) is None
        computed = {
            item.attnum
            for change in trace.changes
            if change.table == down.table
            for item in change.assignments
        }
        if before is None and any(copy.target == down.table for copy in trace.copies):
            continue
        if not dropped and (column is None or column.attnum not in computed):
            raise Refused(
                f"line {down.line}: down {after.label}.{down.column} names no column that the"
                " file computes or drops",
                remedy="name the new table and the new column, or remove the directive",
            )


def _check_not_recreated(gone: list[SeenRelation], made: list[SeenRelation], trace: Trace) -> None:
    fresh = {name_of(relation) for relation in made}
    for relation in gone:
        if name_of(relation) in fresh:
            raise Refused(
                f"table {relation.label} is dropped and made again under the same name: rows that"
                " are written meanwhile could not follow",
                remedy="change the table with ALTER TABLE, or make the new one under another name",
            )


def _relabelled(trace: Trace) -> Iterable[Relabelled]:
    """Values of enum types that the file renames: the other side knows them by the other name."""
    for kind, labels in trace.before.labels.items():
        for oid, old in labels.items():
            new = trace.after.labels.get(kind, {}).get(oid, old)
            if old != new:
                yield Relabelled(
                    sync_type=trace.before.types[kind],
                    final_type=trace.after.types[kind],
                    sync=old,
                    final=new,
                )


def _foreign_keys(trace: Trace) -> Iterable[ForeignKey]:
    """Foreign keys of the final shape that the source did not have under that name."""
    for oid, after in trace.after.relations.items():
        before = trace.before.relations.get(oid)
        if before is None or after.is_partition:
            continue
        known = {c.name for c in before.constraints if c.kind == "f"}
        for constraint in after.constraints:
            if constraint.kind == "f" and constraint.name not in known:
                referenced = trace.after.relations[constraint.referenced]
                yield ForeignKey(
                    name=constraint.name,
                    table=name_of(after),
                    columns=_names(after, constraint.columns),
                    referenced=name_of(referenced),
                    referenced_columns=_names(referenced, constraint.referenced_columns),
                )


def _names(relation: SeenRelation, attnums: Iterable[int]) -> list[str]:
    found = [relation.column(attnum) for attnum in attnums]
    return [column.name for column in found if column is not None]
