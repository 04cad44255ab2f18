"""RENAME and SET SCHEMA: old names stop working at once; nothing grows with the table."""

from __future__ import annotations

from shared.sql.context import Context
from shared.sql.definitions import check_columns
from shared.sql.effects import Operation
from shared.sql.grammar import Node
from shared.sql.locks import Lock
from shared.sql.names import range_var, scalar
from shared.sql.operations.composite_types import check_typed, rename_attribute
from shared.sql.operations.extended_statistics import move_statistics
from shared.sql.operations.inheritance import check_inherited
from shared.sql.operations.moves import move_relation, move_routine, move_schema, move_type
from shared.sql.operations.publications import rename_publication
from shared.sql.partition_indexes import move
from shared.sql.schema_objects import Relation

_RELATIONS = {
    "OBJECT_TABLE": "RENAME_TABLE",
    "OBJECT_VIEW": "RENAME_VIEW",
    "OBJECT_MATVIEW": "RENAME_MATERIALIZED_VIEW",
    "OBJECT_SEQUENCE": "RENAME_SEQUENCE",
    "OBJECT_FOREIGN_TABLE": "RENAME_FOREIGN_TABLE",
}
TYPES = ("TYPE", "DOMAIN")
ROUTINES = ("FUNCTION", "PROCEDURE", "ROUTINE", "AGGREGATE")
_ON_A_TABLE = {
    "OBJECT_TRIGGER": "RENAME_TRIGGER",
    "OBJECT_POLICY": "RENAME_POLICY",
    "OBJECT_RULE": "RENAME_RULE",
}


def rename(ctx: Context, node: Node) -> None:
    kind = node["renameType"]
    if kind in _RELATIONS:
        _rename_relation(ctx, node, _RELATIONS[kind])
    elif kind == "OBJECT_INDEX":
        _rename_index(ctx, node)
    elif kind == "OBJECT_COLUMN":
        _rename_column(ctx, node)
    elif kind == "OBJECT_TABCONSTRAINT":
        _rename_constraint(ctx, node)
    elif kind in _ON_A_TABLE:
        _rename_on_table(ctx, node, _ON_A_TABLE[kind])
    elif kind == "OBJECT_ATTRIBUTE":
        operation = ctx.operation("RENAME_ATTRIBUTE")
        operation.breaks += ("an attribute of a composite type has another name",)
        rename_attribute(ctx, node, operation)
    else:
        _rename_other(ctx, node)


def _rename_relation(ctx: Context, node: Node, type_: str) -> None:
    schema, name = range_var(node["relation"])
    table = ctx.catalog.relation(schema, name, ctx.path)
    if table is None and ctx.catalog.index(schema, name, ctx.path):
        _rename_index(ctx, node)
        return
    relation = ctx.relation(node["relation"], missing_ok=bool(node.get("missing_ok")))
    operation = ctx.operation(type_, relation)
    if relation is None:
        return
    if relation.kind != "sequence":
        operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    new = node["newname"]
    if relation.live:
        operation.breaks += (f"{relation.label} is called {new} now",)
        operation.notes |= {"renamed", f"renamed {relation.label}"}
        if ctx.step is not None and ctx.step not in ctx.renaming[-1:]:
            ctx.renaming.append(ctx.step)
    move_relation(ctx, relation, relation.schema, new)


def _rename_index(ctx: Context, node: Node) -> None:
    schema, name = range_var(node["relation"])
    index = ctx.index_named(schema, name, missing_ok=bool(node.get("missing_ok")))
    table = ctx.catalog.relations.get(index.table) if index else None
    ctx.operation("RENAME_INDEX", table)
    if index is None:
        return
    new = (index.schema, node["newname"])
    if new in ctx.catalog.indexes or new in ctx.catalog.relations:
        ctx.error("catalog", f'relation "{node["newname"]}" already exists')
        return
    move(ctx.catalog, index, *new)


def _rename_column(ctx: Context, node: Node) -> None:
    relation = ctx.relation(node["relation"], missing_ok=bool(node.get("missing_ok")))
    operation = ctx.operation("RENAME_COLUMN", relation)
    old, new = node["subname"], node["newname"]
    operation.columns += [old, new]
    if relation is None:
        return
    family = [relation, *ctx.catalog.partitions_of(relation)]
    for member in family:
        operation.lock(member, Lock.ACCESS_EXCLUSIVE)
    if relation.live:
        operation.breaks += (f"{relation.label}.{old} is called {new} now",)
        if ctx.step is not None:
            ctx.step.rows_change = True
    check_typed(ctx, relation, "rename a column")
    check_inherited(ctx, relation, old, "rename", alone="inh" not in node["relation"])
    if not check_columns(ctx, relation, [old], None):
        return
    if relation.columns is not None and new in relation.columns:
        ctx.error("catalog", f'column "{new}" of relation "{relation.shown}" already exists')
        return
    for member in family:
        _rename_in(ctx, member, old, new)


def _rename_in(ctx: Context, relation: Relation, old: str, new: str) -> None:
    def swap(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(new if name == old else name for name in names)

    if relation.columns is not None and old in relation.columns:
        columns = {}
        for name, column in relation.columns.items():
            column.reads = frozenset(swap(tuple(column.reads)))
            columns[new if name == old else name] = column
        columns[new].name = new
        relation.columns = columns
    for constraint in relation.constraints.values():
        constraint.columns = swap(constraint.columns)
    for _, constraint in ctx.catalog.referrers_of(relation.key):
        constraint.refers_columns = swap(constraint.refers_columns)
    for index in ctx.catalog.indexes_of(relation.key):
        index.columns = swap(index.columns)
    if relation.partition_key is not None:
        relation.partition_key = swap(relation.partition_key)
    for view in ctx.catalog.readers_of(relation.key):
        read = view.reads[relation.key]
        if read is not None:
            view.reads[relation.key] = frozenset(swap(tuple(read)))


def _rename_constraint(ctx: Context, node: Node) -> None:
    relation = ctx.relation(node["relation"], missing_ok=bool(node.get("missing_ok")))
    operation = ctx.operation("RENAME_CONSTRAINT", relation)
    if relation is None:
        return
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    old, new = node["subname"], node["newname"]
    if relation.columns is not None and old not in relation.constraints:
        ctx.error("catalog", f'constraint "{old}" of relation "{relation.shown}" does not exist')
        return
    if new in relation.constraints:
        ctx.error("catalog", f'constraint "{new}" for relation "{relation.shown}" already exists')
        return
    constraint = relation.constraints.pop(old, None)
    if constraint is not None:
        constraint.name = new
        relation.constraints[new] = constraint
    index = ctx.catalog.indexes.get((relation.schema, old))
    if index is not None:
        index.constraint = new
        move(ctx.catalog, index, relation.schema, new)


def _rename_on_table(ctx: Context, node: Node, type_: str) -> None:
    relation = ctx.relation(node["relation"], missing_ok=bool(node.get("missing_ok")))
    operation = ctx.operation(type_, relation)
    if relation is None:
        return
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    old, new = node.get("subname", ""), node["newname"]
    if type_ == "RENAME_TRIGGER" and relation.partition_key is not None:
        operation.lock_all(ctx.catalog.partitions_of(relation), Lock.ACCESS_EXCLUSIVE)
    if type_ == "RENAME_TRIGGER" and relation.columns is not None:
        if old not in relation.triggers:
            ctx.error("catalog", f'trigger "{old}" for table "{relation.shown}" does not exist')
        else:
            relation.triggers[new] = relation.triggers.pop(old)
    elif type_ == "RENAME_POLICY" and old in relation.policies:
        relation.policies[new] = relation.policies.pop(old)
    elif type_ == "RENAME_RULE" and old in relation.rules:
        relation.rules[new] = relation.rules.pop(old)


def _rename_other(ctx: Context, node: Node) -> None:
    """Types, schemas, routines, roles, domains' constraints, ..."""
    kind = node["renameType"].removeprefix("OBJECT_")
    operation = ctx.operation(f"RENAME_{_PLAIN.get(kind, kind)}")
    if kind == "DOMCONSTRAINT":
        return
    operation.breaks += (f"a {kind.lower()} has another name: {node.get('newname', '')}",)
    if kind in TYPES:
        move_type(ctx, node["object"]["List"]["items"], name=node["newname"])
    elif kind in ROUTINES:
        move_routine(ctx, node["object"]["ObjectWithArgs"], name=node["newname"])
    elif kind == "STATISTIC_EXT":
        move_statistics(ctx, node["object"]["List"]["items"], to=node["newname"])
    elif kind == "PUBLICATION":
        rename_publication(ctx, scalar(node["object"]), node["newname"])
    elif kind == "SCHEMA":
        _rename_schema(ctx, node, operation)


_PLAIN = {"DOMCONSTRAINT": "DOMAIN_CONSTRAINT", "STATISTIC_EXT": "STATISTICS"}


def _rename_schema(ctx: Context, node: Node, operation: Operation) -> None:
    old, new = node.get("subname", ""), node["newname"]
    if ctx.catalog.complete and old not in ctx.catalog.schemas:
        ctx.error("catalog", f'schema "{old}" does not exist')
    ctx.catalog.schemas.add(new)
    for relation in [r for r in ctx.catalog.relations.values() if r.schema == old]:
        move_relation(ctx, relation, new, relation.name)
    move_schema(ctx, old, new)
    ctx.catalog.schemas.discard(old)


def set_schema(ctx: Context, node: Node) -> None:
    """ALTER .. SET SCHEMA."""
    kind = node["objectType"].removeprefix("OBJECT_")
    new = node["newschema"]
    if ctx.catalog.complete and new not in ctx.catalog.schemas:
        ctx.error("catalog", f'schema "{new}" does not exist')
    if "relation" not in node:
        operation = ctx.operation("SET_SCHEMA")
        operation.breaks += (f"a {kind.lower()} moved to the schema {new}",)
        if kind in TYPES:
            move_type(ctx, node["object"]["List"]["items"], schema=new)
        elif kind in ROUTINES:
            move_routine(ctx, node["object"]["ObjectWithArgs"], schema=new)
        elif kind == "STATISTIC_EXT":
            move_statistics(ctx, node["object"]["List"]["items"], schema=new)
        return
    relation = ctx.relation(node["relation"], missing_ok=bool(node.get("missing_ok")))
    operation = ctx.operation("SET_SCHEMA", relation)
    if relation is None:
        return
    if relation.kind != "sequence":
        operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    if relation.live:
        operation.breaks += (f"{relation.label} moved to the schema {new}",)
    for each in (*ctx.catalog.sequences_of(relation.key), relation):
        move_relation(ctx, each, new, each.name)
