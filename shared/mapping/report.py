"""The mapping in sentences: for `--dry-run`, for the report, and for those who write the client."""

from __future__ import annotations

from collections.abc import Iterator

from shared.mapping.model import Column, Mapping, Table
from shared.mapping.snapshot import SeenRelation
from shared.mapping.trace import Trace
from shared.mapping.upkeep import many_to_one, partitions, unkept, whole_rows


def with_report(mapping: Mapping, trace: Trace) -> Mapping:
    """The same mapping with what people must know about it."""
    not_common, other, warnings = [], [], []
    for table in mapping.tables:
        not_common += list(_not_common(table))
        not_common += [
            f"{table.final.label}: until `finish` {each.what}" for each in table.retained
        ]
        other += list(_other_meaning(table))
        warnings += list(_table_warnings(table))
    for oid, before in trace.before.relations.items():
        after = trace.after.relations.get(oid)
        if after is not None:
            not_common += list(_required_columns(before, after))
    warnings += unkept(trace.before, mapping.tables)
    warnings += whole_rows(trace.after, mapping.tables)
    warnings += many_to_one(trace.before, mapping.tables)
    warnings += partitions(trace.before, mapping.tables)
    warnings += [
        f"materialized view {relation.label} is as old as the copy: refresh it after the cutover"
        for relation in trace.after.relations.values()
        if relation.kind == "m"
    ]
    not_common += [
        f"the value {each.sync!r} of {each.sync_type} is {each.final!r} afterwards"
        for each in mapping.relabelled
    ]
    not_common += [f"table {name.label} is only in the new shape" for name in mapping.created]
    not_common += [f"table {name.label} is only in the old shape" for name in mapping.dropped]
    return mapping.model_copy(
        update={
            "not_common": not_common,
            "other_meaning": other,
            "warnings": warnings,
            "columns_not_compared": list(_not_compared(mapping)),
        }
    )


def sentences(mapping: Mapping) -> list[str]:
    """One line for each thing that is carried in another way than as it is."""
    found: list[str] = []
    for table in mapping.changed_tables:
        if table.sync != table.final:
            found.append(f"table {table.sync.label} becomes {table.final.label} in the pause")
        found += [_sentence(table, column) for column in table.columns if _changes(column)]
        for relaxation in table.relaxations:
            found.append(f"{table.sync.label}: on the old side {relaxation.what} in the meantime")
    derived = {made.final for made in mapping.derived}
    found += [
        f"table {made.final.label} follows {made.source.label}, row for row"
        for made in mapping.derived
    ]
    found += [
        f"table {name.label} is made; it is not replicated"
        for name in mapping.created
        if name not in derived
    ]
    found += [
        f"table {name.label} is dropped; it stays on the old side" for name in mapping.dropped
    ]
    if mapping.at_cutover is not None:
        found += [
            f"in the pause: {' '.join(each.text.split())[:80]} (a rollback does not take it back:"
            " it flows to the old side as the application's writes do)"
            for each in mapping.at_cutover.statements
        ]
    found += [f"foreign key {key.name} is checked by an anti-join" for key in mapping.foreign_keys]
    found += [f"not common to both shapes: {text}" for text in mapping.not_common]
    found += [f"SAME NAME, OTHER MEANING: {text}" for text in mapping.other_meaning]
    found += [f"warning: {text}" for text in mapping.warnings]
    return found


def _changes(column: Column) -> bool:
    if column.kind in ("kept", "generated"):
        return column.sync != column.final or column.type != column.source_type
    return column.kind != "computed"


def _sentence(table: Table, column: Column) -> str:
    name = f"{table.final.label}.{column.final}"
    old = f"{table.sync.label}.{column.sync}"
    if column.kind == "landing":
        back = f"back by {column.down}" if column.down else "not carried back"
        kind = "your" if column.down_given else "the assignment cast"
        source = f" ({kind})" if column.down else ""
        return f"{old} lands beside what the file computes; {back}{source}"
    if column.kind == "dropped":
        return f"{old} is dropped; it stays on the old side"
    if column.kind == "new":
        return f"{name} {column.type} is new"
    if column.sync != column.final:
        return f"{old} becomes {column.final} in the pause"
    return f"{name} is {column.type} afterwards, {column.source_type} before"


def _not_common(table: Table) -> Iterator[str]:
    if table.sync != table.final:
        yield f"table {table.sync.label} is {table.final.label} afterwards"
    for column in table.columns:
        if column.kind == "kept" and column.sync != column.final:
            yield f"{table.sync.label}.{column.sync} is {column.final} afterwards"
        if column.kind == "dropped":
            yield f"{table.sync.label}.{column.sync} is gone afterwards"
        if column.kind == "new":
            yield f"{table.final.label}.{column.final} is not there before"


def _required_columns(before: SeenRelation, after: SeenRelation) -> Iterator[str]:
    """NOT NULL without a default on one side only: an INSERT that fits one shape fails in one."""
    for column in after.columns:
        if column.not_null and not column.default and not column.identity:
            old = before.column(column.attnum)
            if not column.generated and (old is None or not old.not_null):
                yield f"an INSERT into {after.label} must give {column.name} afterwards"
    for column in before.columns:
        gone = after.column(column.attnum) is None
        if gone and column.not_null and not column.default and not column.identity:
            yield f"an INSERT into {before.label} must give {column.name} before"


def _other_meaning(table: Table) -> Iterator[str]:
    """Columns under the same name in both shapes whose values the file changes."""
    names = {column.sync: column for column in table.of("landing")}
    for chain in table.chains:
        if all(a.plain for operation in chain.operations for a in operation.assignments):
            continue
        for result in chain.results:
            old, column = names.get(result.column), table.column(result.column)
            if old is not None:
                kind = f" ({old.source_type} to {column.type})"
                yield (
                    f"{table.final.label}.{column.final}"
                    f"{kind if old.source_type != column.type else ''}: the file computes it anew"
                )


def _table_warnings(table: Table) -> Iterator[str]:
    if landing := table.of("landing"):
        yield (
            f"until `finish` SELECT * on {table.final.label} also returns {len(landing)} columns of"
            " ours, behind its own: name the columns where their number matters"
        )
    for name in table.triggers_off:
        yield f"trigger {name} of {table.sync.label} does not fire for the file's UPDATE"
    for column in table.of("landing"):
        if column.down is None and not column.derived:
            yield (
                f"{table.sync.label}.{column.sync} is dropped, and sent until then: without a"
                " `down` a rollback keeps its old values"
            )
    if not table.key:
        yield f"{table.sync.label} has no key: it is compared as a multiset of rows"


def _not_compared(mapping: Mapping) -> Iterator[str]:
    for table in mapping.tables:
        computed = {result.column for chain in table.chains for result in chain.results}
        for column in table.columns:
            if column.kind == "dropped":
                yield f"{table.sync.label}.{column.sync} (dropped)"
            elif column.kind == "generated":
                yield f"{table.final.label}.{column.final} (generated)"
            elif column.kind == "new" and not column.start and column.final not in computed:
                yield f"{table.final.label}.{column.final} (new)"
    derived = {made.final for made in mapping.derived}
    for name in mapping.created:
        if name not in derived:
            yield f"{name.label}.* (new table)"
