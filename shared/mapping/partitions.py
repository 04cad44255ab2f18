"""Which partitions are replicated each by itself, so that TRUNCATE of one of them is carried.

What is published through the root is sent under the root's name, and TRUNCATE of a partition is
not sent at all ("CREATE PUBLICATION", `publish_via_partition_root`). So the root is published only
where something needs it: shapes that are not divided alike, tables that the file copies from (what
follows them hears TRUNCATE at the root), rows that are not found by the primary key.
"""

from __future__ import annotations

from shared.mapping.name_states import Name
from shared.mapping.snapshot import SeenRelation, Snapshot


def partitions_by_themselves(
    before: SeenRelation, after: SeenRelation, start: Snapshot, end: Snapshot
) -> list[Name]:
    """In the order of their names; empty where the table is replicated through its root, or has no
    partitions."""
    ours, theirs = _leaves(before, start), _leaves(after, end)
    alike = {leaf.oid: _name(leaf) for leaf in ours} == {leaf.oid: _name(leaf) for leaf in theirs}
    by_key = all(
        leaf.kind == "r" and leaf.persistent and leaf.replica_identity == "d"
        for leaf in (*ours, *theirs)
    )
    if not (alike and by_key and _primary_key(before) == _primary_key(after) != ()):
        return []
    if any(constraint.kind == "f" for constraint in (*before.constraints, *after.constraints)):
        return []
    return sorted(_name(leaf) for leaf in ours)


def partitions_of(root: SeenRelation, seen: Snapshot) -> list[Name]:
    """All that have rows of their own."""
    return sorted(_name(leaf) for leaf in _leaves(root, seen))


def _leaves(root: SeenRelation, seen: Snapshot) -> list[SeenRelation]:
    if root.kind != "p":
        return []
    return [each for each in seen.relations.values() if each.root == root.oid and each.kind != "p"]


def _primary_key(relation: SeenRelation) -> tuple[int, ...]:
    """By which rows of the root and of its partitions are found alike; empty: by something else."""
    keys = [index.columns for index in relation.indexes if index.primary and index.immediate]
    return keys[0] if keys and relation.replica_identity == "d" else ()


def _name(relation: SeenRelation) -> Name:
    return Name(relation.namespace, relation.name)
