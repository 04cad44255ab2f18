"""What must hold of a whole file, whichever table it is done to: rows and values can follow."""

from __future__ import annotations

from shared.domain.errors import Refused
from shared.mapping.held_types import within
from shared.mapping.snapshot import Snapshot
from shared.mapping.statements import refused
from shared.mapping.trace import SeenChange, SeenCopy, Trace


def check_file(trace: Trace) -> None:
    """Raises Refused for what cannot be carried, whichever table it is done to."""
    for relation in (*trace.before.tables(), *trace.after.tables()):
        if relation.shut and relation.oid in trace.before.relations:
            raise Refused(
                f"{relation.label} forces row security on its owner, as whom this server applies"
                " replicated rows",
                remedy=f"ALTER TABLE {relation.label} NO FORCE ROW LEVEL SECURITY in a migration"
                " before this one, and FORCE in one after it; or use --type maintenance",
            )
    _check_all_rows_are_seen(trace)
    _check_still_replicated(trace.before, trace.after)
    _check_labels_are_old(trace)
    _check_composites(trace.before, trace.after)
    _check_domains(trace.before, trace.after)


def _check_labels_are_old(trace: Trace) -> None:
    """Until the pause values of an enum have the names that they had before the file. Raises
    Refused where an expression sees other ones."""
    read: list[tuple[SeenChange | SeenCopy, int]] = [
        (each, each.table)
        for each in trace.changes
        if each.condition is not None or not all(item.plain for item in each.assignments)
    ]
    read += [(copy, copy.source) for copy in trace.copies]
    for step, table in read:
        columns = [step.before.relations[table].column(attnum) for attnum in step.reads]
        held = {oid for c in columns if c for oid in within(step.before, c.type_oid)}
        for oid in held & trace.before.labels.keys():
            first = trace.before.labels[oid]
            if {k: step.before.labels[oid].get(k) for k in first} != first:
                raise refused(
                    step.statement,
                    f"it reads values of {trace.before.types[oid]} that the file has renamed:"
                    " rows that are written later have the old names until the pause",
                    "put it before the RENAME VALUE, or rename in a migration of its own",
                )


def _check_still_replicated(before: Snapshot, after: Snapshot) -> None:
    """A table that is replicated by itself on one side only would lose what is written to it
    meanwhile. Raises Refused."""
    for relation in before.relations.values():
        last = after.relations.get(relation.oid)
        if not relation.is_table or last is None:
            continue
        if last.is_partition:
            raise Refused(
                f"{relation.label} becomes a partition of another table: rows that are written to"
                " it meanwhile would not follow",
                remedy="attach it in a safe migration before or after this one, or use"
                " --type maintenance",
            )
        if last.persistent and not relation.persistent:
            raise Refused(
                f"{relation.label} is unlogged until the file has run: rows that are written to it"
                " meanwhile would not follow",
                remedy="SET LOGGED in a migration before this one (--type maintenance)",
            )


def _check_all_rows_are_seen(trace: Trace) -> None:
    """The file runs as the owner; which rows a forced policy shows it is not known of a row that
    is replicated. Raises Refused."""
    read: list[tuple[SeenChange | SeenCopy, int]] = [
        (change, change.table) for change in trace.changes if not change.retypes
    ]
    read += [(copy, copy.source) for copy in trace.copies]
    for step, table in read:
        relation = step.before.relations[table]
        if relation.hides_rows:
            raise refused(
                step.statement,
                f"{relation.label} forces row security on its owner, so rows may be left out",
                f"put ALTER TABLE {relation.label} NO FORCE ROW LEVEL SECURITY before it and FORCE"
                " ROW LEVEL SECURITY behind it, or use --type maintenance",
            )


def _check_composites(before: Snapshot, after: Snapshot) -> None:
    """A composite value travels as text that has all of its attributes. Raises Refused."""
    for oid, (name, attributes) in before.composites.items():
        if after.composites.get(oid, (name, attributes))[1] != attributes:
            raise Refused(
                f"type {name} gets other attributes, and columns hold values of it: rows that are"
                " written meanwhile would not fit",
                remedy="make a new type and a new column of it, or use --type maintenance",
            )


def _check_domains(before: Snapshot, after: Snapshot) -> None:
    """For a NULL that comes back the old side would have no value. Raises Refused."""
    for oid, domain in before.domains.items():
        last = after.domains.get(oid) if oid in before.structures else None
        if domain.never_null and last is not None and not last.never_null:
            raise Refused(
                f"domain {before.types[oid]} takes NULL afterwards: the old side would stop at the"
                " first one that comes back",
                remedy="ALTER DOMAIN .. DROP NOT NULL in a safe migration before this one, or use"
                " --type maintenance",
            )
