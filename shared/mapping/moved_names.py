"""What wears other names in the other state, though no row of it is carried.

Sequences that the file renames, and whatever stands under a name that a replicated table needs.
"""

from __future__ import annotations

from collections.abc import Iterable

from shared.mapping.model import Moved, Table
from shared.mapping.name_states import Name
from shared.mapping.names import ASIDE, DROPPED, ours
from shared.mapping.snapshot import SeenRelation, Snapshot
from shared.mapping.trace import Trace


def name_of(relation: SeenRelation) -> Name:
    return Name(relation.namespace, relation.name)


def sequences(trace: Trace, tables: list[Table]) -> Iterable[Moved]:
    """Sequences that the file renames or moves: they wear the same names as tables do."""
    schemas = {table.sync: table.final for table in tables}
    for oid, after in trace.after.relations.items():
        before = trace.before.relations.get(oid)
        if before is None or before.kind != "S":
            continue
        old, new = name_of(before), name_of(after)
        owner = trace.before.relations.get(before.owned_by)
        if owner is not None and name_of(owner) in schemas:
            new = Name(old.namespace, new.name)
        if old != new:
            yield Moved(sync=old, final=new)


def aside(end: Snapshot, tables: list[Table], sequences: list[Moved]) -> Iterable[Moved]:
    """Relations of the file's that end under a name which a replicated one needs in state sync."""
    everything: list[Table | Moved] = [*tables, *sequences]
    carried = {relation.final for relation in everything}
    wanted = {relation.sync for relation in everything} - carried
    for relation in end.relations.values():
        name = name_of(relation)
        if name in wanted and not relation.is_partition:
            yield Moved(sync=Name(name.namespace, ours(ASIDE, name.name)), final=name)


def in_the_way(start: Snapshot, tables: list[Table], sequences: list[Moved]) -> Iterable[Moved]:
    """Relations of the source that stand under a name which a replicated one gets in the end."""
    everything: list[Table | Moved] = [*tables, *sequences]
    carried = {relation.sync for relation in everything}
    wanted = {relation.final for relation in everything} - carried
    for relation in start.relations.values():
        name = name_of(relation)
        if name in wanted:
            yield Moved(sync=name, final=Name(name.namespace, ours(DROPPED, name.name)))
