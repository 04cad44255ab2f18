"""LIKE in CREATE TABLE: what the new table gets of another one."""

from __future__ import annotations

import copy
from dataclasses import replace

from shared.sql.context import Context
from shared.sql.definitions import add_constraint, default_name
from shared.sql.effects import Operation
from shared.sql.grammar import Node
from shared.sql.locks import Lock
from shared.sql.operations.index_changes import free_index_name
from shared.sql.operations.own_sequences import own_sequence
from shared.sql.partition_indexes import inherited
from shared.sql.schema_objects import Column, Constraint, Index, Relation

CONSTRAINTS, DEFAULTS, GENERATED, IDENTITY, INDEXES = 4, 8, 16, 32, 64
"""Bits of CREATE_TABLE_LIKE_* (parsenodes.h)."""


def like(ctx: Context, relation: Relation, node: Node, operation: Operation) -> None:
    """NOT NULL always; the rest as INCLUDING and EXCLUDING say. Foreign keys never."""
    source = ctx.relation(node["relation"])
    operation.lock(source, Lock.ACCESS_SHARE)
    if source is None or source.columns is None or relation.columns is None:
        relation.columns = None
        return
    options = int(node.get("options", 0))
    for column in source.columns.values():
        relation.columns[column.name] = _column(ctx, relation, column, options)
    for constraint in source.constraints.values():
        if constraint.kind == "check" and options & CONSTRAINTS:
            relation.constraints[constraint.name] = copy.copy(constraint)
    if options & INDEXES:
        for index in [*ctx.catalog.indexes_of(source.key), *inherited(ctx.catalog, source)]:
            _index(ctx, relation, source, index)


def _column(ctx: Context, relation: Relation, column: Column, options: int) -> Column:
    made = copy.copy(column)
    if column.generated and not options & GENERATED:
        made.generated, made.reads, made.calls = "", frozenset(), frozenset()
    if column.identity:
        made.identity = made.has_default = bool(options & IDENTITY)
        made.always = made.identity and column.always
        if made.identity:
            own_sequence(ctx, relation, made.name)
    elif not options & DEFAULTS:
        made.has_default, made.default, made.sequence = False, None, None
    return made


def _index(ctx: Context, relation: Relation, source: Relation, index: Index) -> None:
    """Under the name that PostgreSQL would choose for it."""
    if index.constraint is not None:
        found = source.constraints.get(index.constraint)
        primary = index.name.endswith("_pkey")  # of a partition, which has it from its parent
        made = copy.copy(found) if found else Constraint("", "primary key" if primary else "unique")
        made.columns = index.columns
        made.name = default_name(relation, made.kind, index.columns)
        add_constraint(ctx, relation, made)
        return
    name = free_index_name(ctx, relation, index.own_columns or index.columns)
    copied = replace(
        index, schema=relation.schema, name=name, table=relation.key, parent=None, valid=True
    )
    ctx.catalog.indexes[(copied.schema, copied.name)] = copied
