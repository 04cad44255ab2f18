"""CREATE TABLE in all its forms: what it makes, and what it holds of the tables it refers to."""

from __future__ import annotations

import copy

from shared.sql.context import Context
from shared.sql.definitions import (
    KINDS,
    add_constraint,
    check_columns,
    check_default,
    read_column,
    read_constraint,
)
from shared.sql.effects import Operation
from shared.sql.expressions import columns as columns_of
from shared.sql.grammar import Node
from shared.sql.keys import check_keys
from shared.sql.locks import Lock
from shared.sql.names import range_var
from shared.sql.operations import partitions
from shared.sql.operations.foreign_keys import check_target
from shared.sql.operations.like_clause import like
from shared.sql.operations.own_sequences import own_sequence
from shared.sql.row_expressions import check_generation
from shared.sql.schema_objects import Column, Relation


def create_table(ctx: Context, node: Node) -> None:
    bound = node.get("partbound")
    operation = ctx.operation("CREATE_PARTITION" if bound else "CREATE_TABLE")
    relation = new_relation(ctx, node["relation"], bool(node.get("if_not_exists")))
    if relation is None:
        return
    operation.touch(relation)
    relation.doubtful = bool(node.get("if_not_exists")) and not ctx.catalog.complete
    relation.columns = {}
    for wrapped in node.get("inhRelations", ()):
        parent = ctx.relation(wrapped["RangeVar"])
        if parent is not None:
            _inherit(ctx, relation, parent, bound, operation)
    if "ofTypename" in node:
        _of_type(ctx, relation, node["ofTypename"], operation)
    _elements(ctx, relation, node, operation)
    if spec := node.get("partspec"):
        relation.partition_strategy = spec["strategy"].rpartition("_")[2][:1].lower()
        keys = [p["PartitionElem"] for p in spec.get("partParams", ())]
        relation.partition_key = tuple(
            name for key in keys for name in ([key["name"]] if "name" in key else columns_of(key))
        )
        check_columns(ctx, relation, list(relation.partition_key), spec.get("location"))


def _of_type(ctx: Context, relation: Relation, name: Node, operation: Operation) -> None:
    """A typed table has the attributes of its type as columns."""
    relation.of_type = ctx.type_of(name, operation).key
    made_of = ctx.catalog.types.get(relation.of_type)
    if made_of is None or not made_of.attributes:
        relation.columns = None
    elif relation.columns is not None:
        relation.columns |= {each: Column(each, t) for each, t in made_of.attributes.items()}


def new_relation(ctx: Context, node: Node, if_not_exists: bool) -> Relation | None:
    """A relation of that name in the catalog, made by the file; None when it is there already."""
    schema, name = range_var(node)
    persistence = node.get("relpersistence", "p")
    relation = Relation(
        "pg_temp" if persistence == "t" else ctx.schema_for(schema),
        name,
        persistence=persistence,
        new=not ctx.building,
    )
    if persistence == "t" and "pg_temp" not in ctx.path:
        ctx.path.insert(0, "pg_temp")
    found = ctx.catalog.relations.get(relation.key)
    if relation.key in ctx.catalog.indexes or (found is not None and not found.presumed):
        if not if_not_exists:
            ctx.error(
                "catalog",
                f'relation "{relation.shown}" already exists',
                at=node.get("location"),
                remedy="choose another name, or say IF NOT EXISTS",
            )
        return None
    if found is not None:
        return None
    ctx.catalog.relations[relation.key] = relation
    return relation


def _elements(ctx: Context, relation: Relation, node: Node, operation: Operation) -> None:
    columns = relation.columns if relation.columns is not None else {}
    generated: list[tuple[Column, Node]] = []
    later: list[tuple[Node, str | None]] = []
    for element in node.get("tableElts", ()):
        if "ColumnDef" in element and "typeName" in element["ColumnDef"]:
            found = read_column(ctx, element["ColumnDef"], operation)
            _check_storage(ctx, element["ColumnDef"])
            generated.append((found.column, element["ColumnDef"]))
            if found.column.name in columns and not node.get("inhRelations"):
                ctx.error(
                    "catalog",
                    f'column "{found.column.name}" specified more than once',
                    at=element["ColumnDef"].get("location"),
                )
            columns[found.column.name] = found.column
            later += [(each, found.column.name) for each in found.constraints]
            if found.serial or found.column.identity:
                key = own_sequence(ctx, relation, found.column.name)
                found.column.sequence = key if found.serial else None
        elif "TableLikeClause" in element:
            like(ctx, relation, element["TableLikeClause"], operation)
        elif "Constraint" in element and element["Constraint"]["contype"] in KINDS:
            later.append((element["Constraint"], None))
    for defined, element in generated:
        check_definition(ctx, defined, element, columns)
    for constraint, column in later:
        _constraint(ctx, relation, constraint, column, operation)


def _check_storage(ctx: Context, node: Node) -> None:
    if node.get("storage_name") and ctx.version < 16:
        ctx.error(
            "version",
            f"STORAGE in CREATE TABLE came with PostgreSQL 16; the server is {ctx.version}",
            at=node.get("location"),
        )


def check_definition(ctx: Context, column: Column, node: Node, known: dict[str, Column]) -> None:
    """What its DEFAULT or generation expression may read."""
    check_default(ctx, column, column.default)
    if not column.generated or ctx.building:
        return
    missing = sorted(column.reads - known.keys() - {column.name})
    if missing and known:
        ctx.error("catalog", f'column "{missing[0]}" does not exist', at=node.get("location"))
    if column.default is not None:
        ctx.error("catalog", f'the generated column "{column.name}" has no DEFAULT')
    routines = {name for (_, name), known in ctx.catalog.routines.items() if known}
    own = sorted(routines & column.calls)
    if column.generated == "v" and own:
        ctx.error(
            "catalog",
            f'the VIRTUAL column "{column.name}" calls {own[0]}(), which is not PostgreSQL\'s own',
            at=node.get("location"),
            remedy="make it STORED, which writes every row anew",
        )
    for wrapped in node.get("constraints", ()):
        body = wrapped["Constraint"]
        if body["contype"] == "CONSTR_GENERATED":
            check_generation(ctx, column, known, body.get("raw_expr"), body.get("location"))


def _constraint(
    ctx: Context, relation: Relation, node: Node, column: str | None, operation: Operation
) -> None:
    constraint = read_constraint(ctx, relation, node, operation, column)
    constraint.valid = constraint.valid or constraint.enforced  # no row to check yet: no NOT VALID
    check_columns(ctx, relation, list(constraint.columns), node.get("location"))
    check_keys(ctx, relation, constraint, node, operation)
    if constraint.refers_to is not None:
        target = ctx.catalog.relations.get(constraint.refers_to)
        operation.lock(target, Lock.SHARE_ROW_EXCLUSIVE)
        if target is not None and target is not relation:
            check_target(ctx, relation, target, constraint)
    add_constraint(ctx, relation, constraint)


def _inherit(
    ctx: Context, relation: Relation, parent: Relation, bound: Node | None, operation: Operation
) -> None:
    mode = Lock.ACCESS_EXCLUSIVE if bound else Lock.SHARE_UPDATE_EXCLUSIVE
    operation.lock(parent, mode)
    operation.touch(parent)
    if parent.columns is None:
        relation.columns = None
    elif relation.columns is not None:
        relation.columns |= {name: copy.copy(c) for name, c in parent.columns.items()}
        for column in relation.columns.values():
            if column.identity and (bound is None or ctx.version < 17):
                column.identity = column.always = column.has_default = False
    if bound is None:
        relation.parents.append(parent.key)
        parent.children.append(relation.key)
        ctx.catalog.note(parent)
        return
    _check_bound(ctx, parent, bound)
    if parent.columns is not None and parent.partition_key is None and not parent.presumed:
        ctx.error("catalog", f'"{parent.shown}" is not partitioned')
    partitions.overlap(ctx, parent, bound, relation.shown)
    partitions.scan_default(ctx, parent, bound, operation)
    partitions.link(ctx, parent, relation, bound)
    for constraint in parent.constraints.values():
        if constraint.refers_to is not None:
            target = ctx.catalog.relations.get(constraint.refers_to)
            operation.lock(target, Lock.SHARE_ROW_EXCLUSIVE)


_STRATEGIES = {"l": "list", "r": "range", "h": "hash"}


def _check_bound(ctx: Context, parent: Relation, bound: Node) -> None:
    mine, given = parent.partition_strategy, bound.get("strategy", "")
    if mine and given and not bound.get("is_default") and given != mine:
        ctx.error(
            "catalog",
            f"{parent.shown} is partitioned by {_STRATEGIES[mine]}: "
            f"a bound for {_STRATEGIES[given]} does not fit",
        )
