"""Columns and constraints as CREATE TABLE and ALTER TABLE define them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.sql.chosen_names import chosen, key_names
from shared.sql.constant_types import check_constant
from shared.sql.context import Context
from shared.sql.effects import Operation
from shared.sql.expressions import called, check_calls, columns
from shared.sql.extensions import OPERATOR_CLASSES
from shared.sql.grammar import Node
from shared.sql.names import range_var, scalar, split_name, strings
from shared.sql.row_expressions import check_row
from shared.sql.schema_objects import Column, Constraint, ConstraintKind, Index, Relation
from shared.sql.types import is_serial

KINDS: dict[str, ConstraintKind] = {
    "CONSTR_CHECK": "check",
    "CONSTR_FOREIGN": "foreign key",
    "CONSTR_UNIQUE": "unique",
    "CONSTR_PRIMARY": "primary key",
    "CONSTR_EXCLUSION": "exclude",
    "CONSTR_NOTNULL": "not null",
}
_SUFFIX: dict[ConstraintKind, str] = {
    "check": "check",
    "foreign key": "fkey",
    "unique": "key",
    "primary key": "pkey",
    "exclude": "excl",
    "not null": "not_null",
}


@dataclass(slots=True)
class ColumnDefinition:
    column: Column
    constraints: list[Node] = field(default_factory=list)
    """Constraint trees that stand with the column and are more than a mark on it."""
    serial: bool = False


def read_column(ctx: Context, node: Node, operation: Operation) -> ColumnDefinition:
    """A ColumnDef tree as a column, with the constraints written beside it."""
    type_node = node.get("typeName", {})
    serial = is_serial(type_node)
    column = Column(node["colname"], ctx.type_of(type_node, operation), not_null=serial)
    if collation := node.get("collClause"):
        column.collation = strings(collation.get("collname"))[-1]
    found = ColumnDefinition(column, serial=serial)
    column.has_default = serial
    for wrapped in node.get("constraints", ()):
        _apply(ctx, wrapped["Constraint"], found, operation)
    return found


def _apply(ctx: Context, node: Node, found: ColumnDefinition, operation: Operation) -> None:
    column, kind = found.column, node["contype"]
    if kind == "CONSTR_NOTNULL":
        column.not_null = True
    elif kind == "CONSTR_DEFAULT":
        column.has_default, column.default = True, node.get("raw_expr")
        check_calls(ctx, column.default, operation)
    elif kind == "CONSTR_IDENTITY":
        column.identity = column.not_null = column.has_default = True
        column.always = node.get("generated_when") == "a"
    elif kind == "CONSTR_GENERATED":
        column.generated = node.get("generated_kind", "s")
        column.reads, column.calls = columns(node.get("raw_expr")), called(node.get("raw_expr"))
        check_calls(ctx, node.get("raw_expr"), operation)
        if column.generated == "v" and ctx.version < 18:
            ctx.error(
                "version",
                f"VIRTUAL generated columns came with PostgreSQL 18; the server is {ctx.version}",
                at=node.get("location"),
            )
    elif kind in KINDS:
        if kind == "CONSTR_PRIMARY":
            column.not_null = True
        found.constraints.append(node)
    elif kind in ("CONSTR_ATTR_DEFERRABLE", "CONSTR_ATTR_DEFERRED") and found.constraints:
        found.constraints[-1] = {**found.constraints[-1], "deferrable": True}


def read_constraint(
    ctx: Context, relation: Relation, node: Node, operation: Operation, column: str | None = None
) -> Constraint:
    """A Constraint tree as a constraint of `relation`, named as PostgreSQL would name it."""
    kind = KINDS[node["contype"]]
    keys = strings(node.get("keys")) or strings(node.get("fk_attrs"))
    named: Iterable[str] = ()
    if kind == "check":
        keys = sorted(columns(node.get("raw_expr")))
        check_calls(ctx, node.get("raw_expr"), operation)
        check_row(ctx, node.get("raw_expr"), "a CHECK", node.get("location"))
    elif kind == "exclude":
        keys = [e for pair in node.get("exclusions", ()) for e in _elements(pair)]
        named = key_names(pair["List"]["items"][0]["IndexElem"] for pair in node["exclusions"])
    elif column is not None:
        keys = [column]
    _check_enforcement(ctx, node)
    named = (*(named or keys), *strings(node.get("including")))
    constraint = Constraint(
        name=node.get("conname") or default_name(relation, kind, named),
        kind=kind,
        columns=tuple(keys),
        valid=not node.get("skip_validation", False),
        enforced=not _not_enforced(node),
        expression=node.get("raw_expr"),
        calls=called(node["raw_expr"]) if "raw_expr" in node else frozenset(),
        deferrable=bool(node.get("deferrable")),
    )
    if kind == "foreign key":
        _refer(ctx, constraint, node)
    return constraint


def _not_enforced(node: Node) -> bool:
    """NOT ENFORCED leaves `is_enforced` out; kinds that know no such clause leave it out too."""
    return node["contype"] in ("CONSTR_CHECK", "CONSTR_FOREIGN") and not node.get("is_enforced")


def _check_enforcement(ctx: Context, node: Node) -> None:
    if _not_enforced(node) and ctx.version < 18:
        ctx.error(
            "version",
            f"NOT ENFORCED came with PostgreSQL 18; the server is {ctx.version}",
            at=node.get("location"),
        )
    temporal = node.get("without_overlaps") or node.get("fk_with_period")
    if temporal and ctx.version < 18:
        ctx.error(
            "version",
            f"WITHOUT OVERLAPS and PERIOD came with PostgreSQL 18; the server is {ctx.version}",
            at=node.get("location"),
        )


def _elements(pair: Node) -> list[str]:
    items = pair["List"]["items"]
    element = items[0].get("IndexElem", {}) if items else {}
    return [element["name"]] if "name" in element else sorted(columns(element.get("expr")))


def _refer(ctx: Context, constraint: Constraint, node: Node) -> None:
    target = ctx.relation(node["pktable"])
    schema, name = range_var(node["pktable"])
    constraint.refers_to = target.key if target else (schema or ctx.first_schema, name)
    named = strings(node.get("pk_attrs"))
    if not named and target is not None:
        named = list(primary_key(target))
    constraint.refers_columns = tuple(named)
    constraint.on_delete = node.get("fk_del_action", "a")
    constraint.on_update = node.get("fk_upd_action", "a")


def primary_key(relation: Relation) -> tuple[str, ...]:
    for constraint in relation.constraints.values():
        if constraint.kind == "primary key":
            return constraint.columns
    return ()


def default_name(relation: Relation, kind: ConstraintKind, keys: Iterable[str]) -> str:
    """As PostgreSQL would name it. `keys`: its columns, or those of its index."""
    names = list(keys)
    if kind == "primary key" or (kind == "check" and len(names) != 1):
        names = []
    return free_name(relation, chosen(relation.name, names, _SUFFIX[kind]))


def free_name(relation: Relation, base: str) -> str:
    name, number = base, 0
    while name in relation.constraints:
        number += 1
        name = f"{base}{number}"
    return name


def add_constraint(ctx: Context, relation: Relation, constraint: Constraint) -> None:
    """Put it into the catalog, with the index that it makes."""
    relation.constraints[constraint.name] = constraint
    if constraint.refers_to is not None:
        ctx.catalog.note(relation)
    if constraint.kind in ("unique", "primary key", "exclude"):
        index = Index(
            schema=relation.schema,
            name=constraint.name,
            table=relation.key,
            columns=constraint.columns,
            unique=constraint.kind != "exclude",
            constraint=constraint.name,
        )
        ctx.catalog.indexes[(index.schema, index.name)] = index
    if constraint.kind in ("primary key", "not null") and relation.columns is not None:
        for name in constraint.columns:
            if name in relation.columns and (constraint.valid or constraint.kind != "not null"):
                relation.columns[name].not_null = True


def index_columns(params: list[Node] | None, where: Node | None = None) -> tuple[str, ...]:
    """Columns that an index reads: keys, expressions, predicate."""
    found: list[str] = []
    for wrapped in params or ():
        element = wrapped["IndexElem"]
        found += [element["name"]] if "name" in element else sorted(columns(element.get("expr")))
    found += sorted(columns(where))
    return tuple(dict.fromkeys(found))


def index_method(node: Node) -> str:
    """Of an IndexStmt: its access method, if all its keys use default operator classes."""
    if any("opclass" in param["IndexElem"] for param in node.get("indexParams", ())):
        return ""
    return str(node.get("accessMethod", "btree"))


def check_operator_classes(ctx: Context, node: Node, operation: Operation) -> None:
    """Operator classes and access methods that an extension must bring."""
    for wrapped in node.get("indexParams", ()):
        element = wrapped["IndexElem"]
        if "opclass" not in element:
            continue
        _, name = split_name(element["opclass"])
        if name in OPERATOR_CLASSES:
            ctx.require(OPERATOR_CLASSES[name], f"operator class {name}", operation)


def check_columns(ctx: Context, relation: Relation, names: list[str], at: int | None) -> bool:
    """Whether the relation has these columns; a problem for each that it has not."""
    if relation.columns is None:
        return True
    missing = [name for name in names if name not in relation.columns and name not in _SYSTEM]
    if missing and relation.doubtful:
        relation.be_there()
        return True
    for name in missing:
        ctx.error(
            "catalog", f'column "{name}" of relation "{relation.shown}" does not exist', at=at
        )
    return not missing


_SYSTEM = frozenset({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"})


def check_default(ctx: Context, column: Column, default: Node | None) -> None:
    """A DEFAULT reads no column, and the sequence that it draws from is there."""
    if default is None or ctx.building:
        return
    check_constant(ctx, column, default)
    if "A_Const" in default:
        return
    check_row(ctx, default, "a DEFAULT")
    named = sorted(columns(default))
    if named and not column.generated:
        ctx.error(
            "catalog",
            f'the default of column "{column.name}" cannot read the column {named[0]}',
            remedy="compute it in a trigger, or as a generated column",
        )
    sequence = drawn_from(default)
    if sequence is not None and ctx.catalog.complete:
        schema, _, name = sequence.rpartition(".")
        if ctx.catalog.relation(schema or None, name, ctx.path) is None:
            ctx.error("catalog", f'relation "{sequence}" does not exist')


def drawn_from(default: Node | None) -> str | None:
    """The sequence's name in `nextval('name')`, unquoted; None for anything else."""
    call = (default or {}).get("FuncCall", {})
    _, name = split_name(call.get("funcname"))
    if name != "nextval" or not call.get("args"):
        return None
    given = scalar(call["args"][0])
    return given.replace('"', "") if isinstance(given, str) else None
