"""Enums, domains, composite and range types."""

from __future__ import annotations

from shared.sql.context import Context
from shared.sql.effects import NONE, Operation
from shared.sql.expressions import called, check_calls, walk
from shared.sql.grammar import Node
from shared.sql.implied_calls import imply
from shared.sql.locks import Lock
from shared.sql.names import range_var, scalar, shown, split_name, strings
from shared.sql.operations.routines import follow_behind
from shared.sql.schema_objects import Relation, UserType


def _made(ctx: Context, names: list[Node], kind: str) -> UserType:
    schema, name = split_name(names)
    made = UserType(ctx.schema_for(schema), name, kind)  # type: ignore[arg-type]
    made.new = made.new_in_block = not ctx.building
    if made.key in ctx.catalog.types:
        ctx.error("catalog", f'type "{shown(*made.key)}" already exists')
    ctx.catalog.types[made.key] = made
    return made


def create_enum(ctx: Context, node: Node) -> None:
    ctx.operation("CREATE_TYPE")
    _made(ctx, node["typeName"], "enum").labels = strings(node.get("vals"))


def create_domain(ctx: Context, node: Node) -> None:
    operation = ctx.operation("CREATE_DOMAIN")
    made = _made(ctx, node["domainname"], "domain")
    made.base = ctx.type_of(node["typeName"], operation)
    for wrapped in node.get("constraints", ()):
        constraint = wrapped["Constraint"]
        if constraint["contype"] in ("CONSTR_CHECK", "CONSTR_NOTNULL"):
            made.constrained = True
            made.constraints.add(constraint.get("conname") or f"{made.name}_check")
        check_calls(ctx, constraint.get("raw_expr"), operation)
        imply(ctx, "domain", made.name, called(constraint.get("raw_expr")))
    imply(ctx, "domain", made.name, ctx.catalog.implied.get(("domain", made.base.name), ()))


def create_composite(ctx: Context, node: Node) -> None:
    operation = ctx.operation("CREATE_TYPE")
    schema, name = range_var(node["typevar"])
    made = UserType(ctx.schema_for(schema), name, "composite", new=not ctx.building)
    for each in node.get("coldeflist", ()):
        column = each["ColumnDef"]
        made.attributes[column["colname"]] = ctx.type_of(column["typeName"], operation)
    if made.key in ctx.catalog.types:
        ctx.error("catalog", f'type "{shown(*made.key)}" already exists')
    ctx.catalog.types[made.key] = made


def create_range(ctx: Context, node: Node) -> None:
    ctx.operation("CREATE_TYPE")
    _made(ctx, node["typeName"], "range")


def _known(ctx: Context, names: list[Node]) -> UserType | None:
    schema, name = split_name(names)
    found = ctx.catalog.type(schema, name, ctx.path)
    if found is None and ctx.catalog.complete:
        ctx.error("catalog", f'type "{shown(schema, name)}" does not exist')
    return found


def alter_enum(ctx: Context, node: Node) -> None:
    old, new = node.get("oldVal"), node.get("newVal", "")
    found = _known(ctx, node["typeName"])
    if old is not None:
        operation = ctx.operation("RENAME_ENUM_VALUE")
        operation.breaks += (f"the enum value {old!r} is called {new!r} now",)
        if found is not None:
            if old not in found.labels:
                ctx.error("catalog", f'"{old}" is not a value of the enum {shown(*found.key)}')
            elif new in found.labels:
                ctx.error("catalog", f'the enum {shown(*found.key)} already has "{new}"')
            found.labels = [new if label == old else label for label in found.labels]
        return
    ctx.operation("ADD_ENUM_VALUE")
    if found is None:
        return
    neighbour = node.get("newValNeighbor")
    if neighbour is not None and neighbour not in found.labels:
        ctx.error("catalog", f'"{neighbour}" is not a value of the enum {shown(*found.key)}')
    if new in found.labels:
        if not node.get("skipIfNewValExists"):
            ctx.error(
                "catalog",
                f'the enum {shown(*found.key)} already has the value "{new}"',
                remedy="say IF NOT EXISTS",
            )
        return
    found.labels.append(new)
    if ctx.block and not found.new_in_block:
        found.fresh_labels.add(new)
        ctx.fresh_values = True


def alter_domain(ctx: Context, node: Node) -> None:
    what = node["subtype"]
    operation = ctx.operation(_DOMAIN.get(what, "ALTER_DOMAIN"))
    found = _known(ctx, node["typeName"])
    constraint = node.get("def", {}).get("Constraint", {}) if what == "C" else {}
    if what in ("C", "O", "V") and not constraint.get("skip_validation"):
        if found is not None:
            _check_arrays(ctx, found)
            asked = ctx.catalog.implied.get(("domain", found.name), NONE)
            follow_behind(ctx, asked | called(constraint.get("raw_expr")), operation)
        for relation in _users(ctx, node, found):
            if relation.stored:
                operation.touch(relation)
                operation.lock(relation, Lock.SHARE)
                operation.scan(relation)
    if found is None:
        return
    if what in ("C", "O"):
        found.constrained = True
        found.constraints.add(constraint.get("conname") or f"{found.name}_check")
        imply(ctx, "domain", found.name, called(constraint.get("raw_expr")))
    elif what == "X":
        _drop_constraint(ctx, found, node, operation)


def _check_arrays(ctx: Context, domain: UserType) -> None:
    """A limit is not looked up inside arrays: PostgreSQL refuses to change the domain."""
    for relation, column in ctx.catalog.columns_of_type(domain.key):
        if column.type.array:
            ctx.error(
                "catalog",
                f'cannot alter type "{domain.name}" because column '
                f'"{relation.shown}.{column.name}" uses it',
                remedy="change the type of that column first",
            )
            return


def _users(ctx: Context, node: Node, domain: UserType | None) -> list[Relation]:
    """The tables that have a column of this domain."""
    if domain is not None:
        return [relation for relation, _ in ctx.catalog.columns_of_type(domain.key)]
    _, name = split_name(node["typeName"])
    found = ctx.stand_in(f"every table that uses the domain {name}")
    return [] if found is None else [found]


_DOMAIN = {
    "C": "ALTER_DOMAIN_ADD_CONSTRAINT",
    "X": "ALTER_DOMAIN_DROP_CONSTRAINT",
    "O": "ALTER_DOMAIN_SET_NOT_NULL",
    "N": "ALTER_DOMAIN_DROP_NOT_NULL",
    "V": "ALTER_DOMAIN_VALIDATE_CONSTRAINT",
    "T": "ALTER_DOMAIN_SET_DEFAULT",
}


def _drop_constraint(ctx: Context, found: UserType, node: Node, operation: Operation) -> None:
    name = node.get("name", "")
    if name in found.constraints:
        found.constraints.discard(name)
        found.constrained = bool(found.constraints)
    elif not node.get("missing_ok") and ctx.catalog.complete:
        ctx.error(
            "catalog", f'constraint "{name}" of the domain {shown(*found.key)} does not exist'
        )


def alter_type_options(ctx: Context, node: Node) -> None:
    """ALTER TYPE .. SET (..) of a base type."""
    ctx.operation("ALTER_TYPE")
    _known(ctx, node["typeName"])


def used_values(ctx: Context, node: Node) -> None:
    """A value that was added to an enum in the open transaction cannot be used before its end.

    For statements inside a block that added one.
    """
    fresh = {label: type_ for type_ in ctx.catalog.types.values() for label in type_.fresh_labels}
    for at, text in _texts(node):
        if text in fresh:
            ctx.error(
                "transaction",
                f'the new value "{text}" of the enum {shown(*fresh[text].key)} '
                "cannot be used before the transaction that added it commits",
                at=at,
                remedy="add the value in a transaction of its own",
            )


def _texts(node: Node) -> list[tuple[int | None, str]]:
    return [
        (body.get("location"), str(scalar({"A_Const": body})))
        for tag, body in walk(node)
        if tag == "A_Const" and "sval" in body
    ]
