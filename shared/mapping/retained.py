"""What the source keeps unique stays unique on the target until the job ends.

A row that is the second of its kind could not go back: the source's index would stop the stream,
and the rollback window would close with it. An application whose statements are valid on both
shapes writes none, so it does not meet these indexes. They stand where replication finds rows by a
key that the file replaces, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shared.domain.identifiers import ident
from shared.mapping.carried import identity_columns, is_found_by_key
from shared.mapping.model import Mapping, Retained
from shared.mapping.name_states import Name
from shared.mapping.names import RETAINED, ours
from shared.mapping.snapshot import SeenIndex, SeenRelation
from shared.mapping.trace import SeenChange

IDENTITIES = {"d": "DEFAULT", "f": "FULL", "n": "NOTHING"}


def retained_of(
    before: SeenRelation,
    after: SeenRelation,
    landing: frozenset[int],
    changes: Iterable[SeenChange] = (),
) -> list[Retained]:
    """All for one table."""
    source = Name(before.namespace, before.name)
    target = Name(after.namespace, after.name)
    key = identity_columns(before)
    found = []
    by_key = is_found_by_key(before, after, changes)
    if (before.replica_identity != "f" or by_key) and identity_columns(after) != key:
        found.append(_key(before, after, source, target))
    elif by_key:
        found.append(_key_for_full(source, target))
    found += list(_unique(before, after, landing, source, target))
    found += list(_partial(before, after, landing, source, target))
    found += list(_excluding(before, after, landing, source, target))
    return found


def create_retained(mapping: Mapping) -> list[str]:
    return [sql for table in mapping.tables for each in table.retained for sql in each.create]


def drop_retained(mapping: Mapping) -> list[str]:
    return [sql for table in mapping.tables for each in table.retained for sql in each.drop]


def _key(before: SeenRelation, after: SeenRelation, source: Name, target: Name) -> Retained:
    index = ours(RETAINED, f"{before.name}_key")
    names = _names(before, tuple(sorted(identity_columns(before))))
    identity = IDENTITIES.get(after.replica_identity, "DEFAULT")
    if chosen := [found.name for found in after.indexes if found.identity]:
        identity = f"USING INDEX {ident(chosen[0])}"
    return Retained(
        what=f"no two rows may have the same ({names}): replication finds rows by it",
        create=[
            f"CREATE UNIQUE INDEX {ident(index)} ON {source.sql} ({names})",
            f"ALTER TABLE {source.sql} REPLICA IDENTITY USING INDEX {ident(index)}",
        ],
        drop=[
            f"ALTER TABLE {target.sql} REPLICA IDENTITY {identity}",
            f"DROP INDEX IF EXISTS {ident(target.namespace, index)}",
        ],
    )


def _key_for_full(source: Name, target: Name) -> Retained:
    return Retained(
        what="rows are found by the primary key, not by all columns",
        create=[f"ALTER TABLE {source.sql} REPLICA IDENTITY DEFAULT"],
        drop=[f"ALTER TABLE {target.sql} REPLICA IDENTITY FULL"],
    )


def _unique(
    before: SeenRelation,
    after: SeenRelation,
    landing: frozenset[int],
    source: Name,
    target: Name,
) -> Iterator[Retained]:
    key = identity_columns(before)
    for index in before.indexes:
        columns = set(index.columns)
        if columns == key or not _stands(before, after, index.columns, landing):
            continue
        if any(set(left.columns) <= columns for left in after.indexes):
            continue
        yield _unique_retained(before, index, source, target)


def _unique_retained(
    before: SeenRelation, index: SeenIndex, source: Name, target: Name
) -> Retained:
    name = ours(RETAINED, index.name)
    definitions = [c.definition for c in before.constraints if c.name == index.name]
    names = _names(before, index.columns)
    what = f"no two rows may have the same ({names})"
    if definitions:
        return _constraint(what, name, definitions[0].replace("PRIMARY KEY", "UNIQUE", 1),
                           source, target)  # fmt: skip
    return Retained(
        what=what,
        create=[f"CREATE UNIQUE INDEX {ident(name)} ON {source.sql} ({names})"],
        drop=[f"DROP INDEX IF EXISTS {ident(target.namespace, name)}"],
    )


def _partial(
    before: SeenRelation,
    after: SeenRelation,
    landing: frozenset[int],
    source: Name,
    target: Name,
) -> Iterator[Retained]:
    left = {index.oid for index in after.partial_indexes}
    names = {index.name for index in after.partial_indexes}  # a retype makes it anew
    for index in before.partial_indexes:
        stands = _stands(before, after, index.columns, landing)
        if index.oid in left or index.name in names or not stands:
            continue
        name = ours(RETAINED, index.name)
        yield Retained(
            what=f"{index.name} still holds",
            create=[f"CREATE UNIQUE INDEX {ident(name)} ON {source.sql} {index.text}"],
            drop=[f"DROP INDEX IF EXISTS {ident(target.namespace, name)}"],
        )


def _excluding(
    before: SeenRelation,
    after: SeenRelation,
    landing: frozenset[int],
    source: Name,
    target: Name,
) -> Iterator[Retained]:
    left = {constraint.name for constraint in after.constraints}
    for constraint in before.constraints:
        stands = _stands(before, after, constraint.columns, landing)
        if constraint.kind == "x" and constraint.name not in left and stands:
            what = f"{constraint.name} still holds"
            name = ours(RETAINED, constraint.name)
            yield _constraint(what, name, constraint.definition, source, target)


def _constraint(what: str, name: str, definition: str, source: Name, target: Name) -> Retained:
    return Retained(
        what=what,
        create=[f"ALTER TABLE {source.sql} ADD CONSTRAINT {ident(name)} {definition}"],
        drop=[f"ALTER TABLE {target.sql} DROP CONSTRAINT IF EXISTS {ident(name)}"],
    )


def _stands(
    before: SeenRelation, after: SeenRelation, columns: tuple[int, ...], landing: frozenset[int]
) -> bool:
    """The source's values of all these columns are on the target."""
    known = {column.attnum for column in before.columns}
    return all(
        attnum in known and (attnum in landing or after.column(attnum) is not None)
        for attnum in columns
    )


def _names(table: SeenRelation, columns: tuple[int, ...]) -> str:
    found = [table.column(attnum) for attnum in columns]
    return ", ".join(ident(column.name) for column in found if column is not None)
