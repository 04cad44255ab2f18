"""ALTER TABLE actions on columns: added, dropped, retyped, NOT NULL, defaults."""

from __future__ import annotations

from functools import partial

from shared.domain.kinds import Kind
from shared.sql.catalog import Column, Relation
from shared.sql.context import Context
from shared.sql.definitions import (
    ColumnDefinition,
    add_constraint,
    check_columns,
    read_column,
    read_constraint,
)
from shared.sql.effects import Operation
from shared.sql.expressions import check_calls, columns, volatility
from shared.sql.grammar import Node
from shared.sql.locks import Lock
from shared.sql.names import strings


def add_column(ctx: Context, relation: Relation, cmd: Node) -> None:
    operation = ctx.operation("ADD_COLUMN", relation)
    found = read_column(ctx, cmd["def"]["ColumnDef"], operation)
    column = found.column
    operation.columns.append(column.name)
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    family = [relation, *ctx.catalog.partitions_of(relation)]
    for member in family[1:]:
        operation.lock(member, Lock.ACCESS_EXCLUSIVE)
    if relation.columns is not None and column.name in relation.columns:
        if cmd.get("missing_ok"):
            return
        ctx.error(
            "catalog",
            f'column "{column.name}" of relation "{relation.shown}" already exists',
            at=cmd["def"]["ColumnDef"].get("location"),
        )
    if why := _why_rewritten(ctx, found):
        operation.notes.add(why)
        for member in family:
            if member.stored:
                operation.rewrite(member)
    _no_default(operation, found)
    _constraints(ctx, relation, found, operation, family)
    for member in family:
        ctx.new_columns.add((member.key, column.name))
        if member.columns is not None:
            member.columns[column.name] = column
    if relation.live and ctx.step is not None:
        ctx.step.rows_change = True


def _why_rewritten(ctx: Context, found: ColumnDefinition) -> str:
    """Why every row gets a value written at once; empty when the catalog remembers it."""
    column = found.column
    if found.serial:
        return "serial"
    if column.identity:
        return "identity"
    if column.generated == "s":
        return "generated-stored"
    if column.default is not None and volatility(ctx, column.default) == "volatile":
        return "volatile-default"
    user_type = ctx.catalog.types.get(column.type.key)
    if user_type is not None and user_type.kind == "domain" and user_type.constrained:
        return "constrained-domain"
    return ""


def _no_default(operation: Operation, found: ColumnDefinition) -> None:
    column = found.column
    if column.not_null and not column.has_default and not column.generated:
        operation.notes.add("not-null-without-default")


def _constraints(
    ctx: Context,
    relation: Relation,
    found: ColumnDefinition,
    operation: Operation,
    family: list[Relation],
) -> None:
    for node in found.constraints:
        constraint = read_constraint(ctx, relation, node, operation, found.column.name)
        add_constraint(ctx, relation, constraint)
        operation.notes.add(f"inline {constraint.kind}")
        if constraint.refers_to is not None:
            operation.lock(
                ctx.catalog.relations.get(constraint.refers_to), Lock.SHARE_ROW_EXCLUSIVE
            )
        scans = constraint.kind != "foreign key" or found.column.has_default
        if scans and constraint.valid:
            operation.scan_all(family)


def drop_column(ctx: Context, relation: Relation, cmd: Node) -> None:
    operation = ctx.operation("DROP_COLUMN", relation)
    name, cascade = cmd["name"], cmd.get("behavior") == "DROP_CASCADE"
    operation.columns.append(name)
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    family = [relation, *ctx.catalog.partitions_of(relation)]
    for member in family[1:]:
        operation.lock(member, Lock.ACCESS_EXCLUSIVE)
    if cmd.get("missing_ok") and relation.columns is not None and name not in relation.columns:
        return
    if not check_columns(ctx, relation, [name], None):
        return
    if relation.partition_key and name in relation.partition_key:
        ctx.error("catalog", f'column "{name}" is part of the partition key of {relation.shown}')
    if relation.live:
        if relation.stored or relation.partition_key is not None:
            operation.destroys.append(f"every value of {relation.label}.{name}")
        if ctx.step is not None:
            ctx.step.rows_change = True
    _dependants(ctx, relation, name, operation, cascade=cascade)
    for member in family:
        _forget_column(ctx, member, name, operation)


def _dependants(
    ctx: Context, relation: Relation, name: str, operation: Operation, *, cascade: bool
) -> None:
    """Views, foreign keys, generated columns and policies that hold the column."""
    refuse = partial(_cannot_drop, ctx, relation, name)
    for view in ctx.catalog.readers_of(relation.key):
        read = view.reads[relation.key]
        if read is None or name in read:
            if cascade:
                drop_with(ctx, view, operation)
            else:
                refuse(
                    f"{view.kind} {view.shown} reads it",
                    f"drop {view.shown} first and make it again afterwards, or say CASCADE",
                )
    for referrer, constraint in ctx.catalog.referrers_of(relation.key):
        if name in constraint.refers_columns and referrer is not relation:
            if cascade:
                operation.gone.append(f"constraint {constraint.name} on {referrer.shown}")
                operation.lock(referrer, Lock.ACCESS_EXCLUSIVE)
                referrer.constraints.pop(constraint.name, None)
            else:
                refuse(
                    f"foreign key {constraint.name} of {referrer.shown} points at it",
                    f"drop the constraint {constraint.name} first",
                )
    _computed(ctx, relation, name, operation, cascade=cascade)


def _computed(
    ctx: Context, relation: Relation, name: str, operation: Operation, *, cascade: bool
) -> None:
    for column in list((relation.columns or {}).values()):
        if name in column.reads and column.name != name:
            if cascade:
                operation.gone.append(f"column {relation.shown}.{column.name}")
                _forget_column(ctx, relation, column.name, operation)
            else:
                _cannot_drop(ctx, relation, name, f"the generated column {column.name} reads it")
    for policy, read_columns in relation.policies.items():
        if name in read_columns and not cascade:
            _cannot_drop(ctx, relation, name, f"policy {policy} reads it")


def _cannot_drop(ctx: Context, relation: Relation, name: str, why: str, remedy: str = "") -> None:
    ctx.error("catalog", f"cannot drop column {name} of {relation.shown}: {why}", remedy=remedy)


def drop_with(ctx: Context, relation: Relation, operation: Operation) -> None:
    """A view goes with what it reads, and every view that reads it goes too."""
    operation.gone.append(f"{relation.kind} {relation.shown}")
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    for view in ctx.catalog.readers_of(relation.key):
        drop_with(ctx, view, operation)
    ctx.catalog.relations.pop(relation.key, None)


def _forget_column(ctx: Context, relation: Relation, name: str, operation: Operation) -> None:
    for index in ctx.catalog.indexes_of(relation.key):
        if name in index.columns:
            if index.constraint is None:
                operation.gone.append(f"index {index.name}")
            del ctx.catalog.indexes[(index.schema, index.name)]
    for constraint in list(relation.constraints.values()):
        if name in constraint.columns:
            operation.gone.append(f"constraint {constraint.name}")
            del relation.constraints[constraint.name]
            if constraint.refers_to is not None:
                target = ctx.catalog.relations.get(constraint.refers_to)
                operation.lock(target, Lock.ACCESS_EXCLUSIVE)
    for key, sequence in list(ctx.catalog.relations.items()):
        if sequence.owned_by == (relation.key, name):
            operation.gone.append(f"sequence {sequence.shown}")
            del ctx.catalog.relations[key]
    if relation.columns is not None:
        relation.columns.pop(name, None)


def set_not_null(ctx: Context, relation: Relation, cmd: Node) -> None:
    operation = ctx.operation("SET_NOT_NULL", relation)
    name = cmd["name"]
    operation.columns.append(name)
    family = [relation, *ctx.catalog.partitions_of(relation)]
    if not check_columns(ctx, relation, [name], None):
        return
    for member in family:
        operation.lock(member, Lock.ACCESS_EXCLUSIVE)
        column = (member.columns or {}).get(name)
        proven = (column is not None and column.not_null) or _proven_not_null(member, name)
        if not proven and member.stored:
            operation.scan(member)
        if column is not None:
            column.not_null = True
    if not operation.scans and relation.live:
        operation.notes.add("proven")


def _proven_not_null(relation: Relation, name: str) -> bool:
    """Whether a validated constraint already says that no row holds NULL there."""
    for constraint in relation.constraints.values():
        if not constraint.valid or not constraint.enforced:
            continue
        if constraint.kind == "not null" and constraint.columns == (name,):
            return True
        if constraint.kind == "check" and implies_not_null(constraint.expression, name):
            return True
    return False


def implies_not_null(expression: Node | None, name: str) -> bool:
    """Whether a CHECK says `name IS NOT NULL`, alone or as one part of an AND."""
    if not expression:
        return False
    if test := expression.get("NullTest"):
        column = test.get("arg", {}).get("ColumnRef", {})
        names = strings(column.get("fields"))
        return test.get("nulltesttype") == "IS_NOT_NULL" and names[-1:] == [name]
    both = expression.get("BoolExpr", {})
    if both.get("boolop") == "AND_EXPR":
        return any(implies_not_null(arg, name) for arg in both.get("args", ()))
    return False


def drop_not_null(ctx: Context, relation: Relation, cmd: Node) -> None:
    operation = ctx.operation("DROP_NOT_NULL", relation)
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    column = _known(ctx, relation, cmd["name"], operation)
    for constraint in relation.constraints.values():
        if constraint.kind == "primary key" and cmd["name"] in constraint.columns:
            ctx.error("catalog", f'column "{cmd["name"]}" is in a primary key')
    if column is not None:
        column.not_null = False


def set_default(ctx: Context, relation: Relation, cmd: Node) -> None:
    """SET DEFAULT and DROP DEFAULT: new rows only."""
    given = cmd.get("def")
    operation = ctx.operation("SET_DEFAULT" if given else "DROP_DEFAULT", relation)
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    check_calls(ctx, given, operation)
    column = _known(ctx, relation, cmd["name"], operation)
    if column is None:
        return
    if column.generated:
        ctx.error("catalog", f'column "{column.name}" of relation "{relation.shown}" is generated')
    column.has_default, column.default = given is not None, given


def identity(ctx: Context, relation: Relation, cmd: Node) -> None:
    """ADD GENERATED .. AS IDENTITY, SET GENERATED / RESTART, DROP IDENTITY."""
    types = {
        "AT_AddIdentity": "ADD_IDENTITY",
        "AT_SetIdentity": "SET_IDENTITY",
        "AT_DropIdentity": "DROP_IDENTITY",
    }
    operation = ctx.operation(types[cmd["subtype"]], relation)
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    column = _known(ctx, relation, cmd["name"], operation)
    if column is None:
        return
    adds = cmd["subtype"] == "AT_AddIdentity"
    if adds and not column.not_null:
        ctx.error(
            "catalog",
            f'column "{column.name}" of relation "{relation.shown}" must be NOT NULL '
            "before it can become an identity",
        )
    elif adds and (column.has_default or column.identity):
        ctx.error(
            "catalog",
            f'column "{column.name}" of relation "{relation.shown}" already has a default',
            remedy="drop the default first",
        )
    elif not adds and not column.identity and not cmd.get("missing_ok"):
        ctx.error(
            "catalog", f'column "{column.name}" of relation "{relation.shown}" is not an identity'
        )
    column.identity = column.has_default = cmd["subtype"] != "AT_DropIdentity"


def drop_expression(ctx: Context, relation: Relation, cmd: Node) -> None:
    operation = ctx.operation("DROP_EXPRESSION", relation)
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    column = _known(ctx, relation, cmd["name"], operation)
    if column is not None:
        if not column.generated and not cmd.get("missing_ok"):
            ctx.error("catalog", f'column "{column.name}" is not a generated column')
        column.generated, column.reads = "", frozenset()
    if relation.live:
        operation.needs(
            Kind.RISKY,
            f"{relation.label}.{cmd['name']} is no longer computed: clients must write it",
            "let the application write the column first",
        )


def set_expression(ctx: Context, relation: Relation, cmd: Node) -> None:
    operation = ctx.operation("SET_EXPRESSION", relation)
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    if ctx.version < 17:
        ctx.error("version", f"SET EXPRESSION came with PostgreSQL 17; the server is {ctx.version}")
    column = _known(ctx, relation, cmd["name"], operation)
    if column is None or column.generated != "v":
        operation.rewrite(relation)
    if column is not None:
        column.reads = columns(cmd.get("def"))


def _known(ctx: Context, relation: Relation, name: str, operation: Operation) -> Column | None:
    operation.columns.append(name)
    check_columns(ctx, relation, [name], None)
    return (relation.columns or {}).get(name)
