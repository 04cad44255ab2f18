"""The indexes and constraints that a partition has because its parent has them."""

from __future__ import annotations

import copy
from collections.abc import Iterator

from shared.sql.catalog import Catalog
from shared.sql.chosen_names import chosen
from shared.sql.schema_objects import Constraint, ConstraintKind, Index, Key, Relation


def inherited(catalog: Catalog, child: Relation) -> Iterator[Index]:
    """Those that PostgreSQL made with the partition and no statement names, under the names that it
    gives them."""
    own = {(index.columns, index.unique) for index in catalog.indexes_of(child.key)}
    for parent in (catalog.relations.get(key) for key in child.parents):
        for index in catalog.indexes_over(parent) if parent is not None else ():
            if index.valid and (index.columns, index.unique) not in own:
                made = copy.copy(index)
                made.schema, made.table = child.schema, child.key
                made.parent = (index.schema, index.name)
                made.name = _name(catalog, child, index)
                made.constraint = made.name if index.constraint is not None else None
                yield made


def _name(catalog: Catalog, child: Relation, index: Index) -> str:
    table = catalog.relations.get(index.table)
    constraint = table.constraints.get(index.constraint or "") if table is not None else None
    if constraint is not None and constraint.kind == "primary key":
        return chosen(child.name, (), "pkey")
    ending = "key" if constraint is not None else "idx"
    return chosen(child.name, index.own_columns or index.columns, ending)


def made_with_partition(catalog: Catalog, places: list[str], name: str) -> Index | None:
    """An index of that name which a partition has from its parent; put into the catalog."""
    for relation in _named_before(catalog, places, name):
        for index in inherited(catalog, relation):
            if index.name == name:
                catalog.indexes[(index.schema, index.name)] = index
                return index
    return None


def _named_before(catalog: Catalog, places: list[str], name: str) -> Iterator[Relation]:
    """Partitions with whose name and a `_` the name begins."""
    at = name.find("_")
    while at >= 0:
        for schema in places:
            relation = catalog.relations.get((schema, name[:at]))
            if relation is not None and relation.bound is not None:
                yield relation
        at = name.find("_", at + 1)


def name_now(catalog: Catalog, child: Relation) -> None:
    """Put what the child has from its parent into the catalog: its name outlives the table's."""
    for index in list(inherited(catalog, child)) if child.bound is not None else ():
        catalog.indexes[(index.schema, index.name)] = index


def drop(catalog: Catalog, key: Key) -> None:
    """Take an index out of the catalog, with those that partitions have because of it."""
    index = catalog.indexes.pop(key, None)
    table = catalog.relations.get(index.table) if index is not None else None
    if index is not None and table is not None and index.constraint is not None:
        table.constraints.pop(index.constraint, None)
    for each in _under(catalog, index, key) if index is not None else ():
        drop(catalog, (each.schema, each.name))


def move(catalog: Catalog, index: Index, schema: str, name: str) -> None:
    """Put an index under another key; those that partitions have because of it know it by that."""
    old, new = (index.schema, index.name), (schema, name)
    under = _under(catalog, index, old)
    del catalog.indexes[old]
    index.schema, index.name = new
    catalog.indexes[new] = index
    for each in under:
        each.parent = new


def _under(catalog: Catalog, index: Index, key: Key) -> list[Index]:
    table = catalog.relations.get(index.table)
    partitions = table.children if table is not None else ()
    return [i for each in partitions for i in catalog.indexes_of(each) if i.parent == key]


def keep(catalog: Catalog, parent: Relation, child: Relation) -> None:
    """What the child has from its parent becomes its own: it is about to be detached."""
    for index in list(inherited(catalog, child)):
        catalog.indexes[(index.schema, index.name)] = index
        if index.constraint is not None:
            kind: ConstraintKind = "primary key" if index.name.endswith("_pkey") else "unique"
            child.constraints[index.name] = Constraint(index.name, kind, index.columns)
    for index in catalog.indexes_of(child.key):
        index.parent = None
    for constraint in parent.constraints.values():
        plain = constraint.kind in ("check", "foreign key", "not null")
        if plain and constraint.name not in child.constraints:
            child.constraints[constraint.name] = copy.copy(constraint)
    catalog.note(child)
