"""ALTER TYPE .. ATTRIBUTE: composite types, with the tables that are made of them."""

from __future__ import annotations

from shared.sql.context import Context
from shared.sql.effects import Operation
from shared.sql.grammar import Node
from shared.sql.locks import Lock
from shared.sql.names import range_var, shown
from shared.sql.schema_objects import Column, Relation, Type, UserType


def alter_composite(ctx: Context, node: Node) -> None:
    schema, name = range_var(node["relation"])
    found = ctx.catalog.type(schema, name, ctx.path)
    if found is None and ctx.catalog.complete:
        ctx.error("catalog", f'type "{shown(schema, name)}" does not exist')
    for wrapped in node.get("cmds", ()):
        cmd = wrapped["AlterTableCmd"]
        operation = ctx.operation("ALTER_TYPE")
        if found is not None:
            tables = typed_tables(ctx, found, operation, cmd.get("behavior") == "DROP_CASCADE")
            _change(ctx, found, cmd, operation, tables)
        elif cmd["subtype"] == "AT_DropColumn":
            operation.destroys += (f"every {shown(schema, name)}.{cmd.get('name')}",)
        elif cmd["subtype"] == "AT_AlterColumnType" and cmd.get("behavior") == "DROP_CASCADE":
            _rewrite_typed(ctx, shown(schema, name), operation)


def _rewrite_typed(ctx: Context, type_: str, operation: Operation) -> None:
    """CASCADE is said where tables are made of the type, which only a schema could name."""
    table = ctx.stand_in(f"every table made of the type {type_}")
    if table is not None:
        operation.touch(table)
        operation.lock(table, Lock.ACCESS_EXCLUSIVE)
        operation.rewrite(table)


def check_typed(ctx: Context, relation: Relation, what: str) -> None:
    """The columns of a typed table are those of its type."""
    if relation.of_type is not None:
        ctx.error(
            "catalog",
            f"cannot {what} of the typed table {relation.shown}",
            remedy=f"ALTER TYPE {shown(*relation.of_type)} .. CASCADE, or NOT OF before it",
        )


def typed_tables(
    ctx: Context, type_: UserType, operation: Operation, cascade: bool
) -> list[Relation]:
    """The tables made of the type (CREATE TABLE .. OF), which CASCADE changes with it."""
    tables = [each for each in ctx.catalog.relations.values() if each.of_type == type_.key]
    if tables and not cascade:
        ctx.error(
            "catalog",
            f'cannot alter type "{type_.name}" because it is the type of the typed table '
            f"{tables[0].shown}",
            remedy="say CASCADE, which changes the table too",
        )
    for table in tables:
        operation.touch(table)
        operation.lock(table, Lock.ACCESS_EXCLUSIVE)
    return tables


def rename_attribute(ctx: Context, node: Node, operation: Operation) -> None:
    schema, name = range_var(node["relation"])
    found = ctx.catalog.type(schema, name, ctx.path)
    if found is None:
        return
    old, new = node.get("subname", ""), node["newname"]
    cascade = node.get("behavior") == "DROP_CASCADE"
    for table in typed_tables(ctx, found, operation, cascade):
        table.columns = {new if n == old else n: c for n, c in (table.columns or {}).items()}
    found.attributes = {new if n == old else n: t for n, t in found.attributes.items()}


def _change(
    ctx: Context, type_: UserType, cmd: Node, operation: Operation, tables: list[Relation]
) -> None:
    column = cmd.get("def", {}).get("ColumnDef", {})
    name = cmd.get("name") or column.get("colname", "")
    if cmd["subtype"] == "AT_AddColumn":
        _put(type_, tables, name, ctx.type_of(column["typeName"], operation))
        return
    if type_.attributes and name not in type_.attributes and not cmd.get("missing_ok"):
        ctx.error("catalog", f'"{name}" is not an attribute of {shown(*type_.key)}')
    users = ctx.catalog.columns_of_type(type_.key)
    if cmd["subtype"] == "AT_AlterColumnType":
        _retype(ctx, type_, (name, ctx.type_of(column["typeName"], operation)), operation, tables)
    elif cmd["subtype"] == "AT_DropColumn":
        type_.attributes.pop(name, None)
        if not type_.new:
            operation.breaks += (f"{shown(*type_.key)}.{name} is gone",)
        for relation, used in users:
            operation.destroys += (f"{relation.label}.{used.name}.{name}",)
        for table in tables:
            (table.columns or {}).pop(name, None)
            if table.live:
                operation.destroys += (f"every value of {table.label}.{name}",)


def _retype(
    ctx: Context,
    type_: UserType,
    attribute: tuple[str, Type],
    operation: Operation,
    tables: list[Relation],
) -> None:
    users = ctx.catalog.columns_of_type(type_.key)
    if users:
        relation, used = users[0]
        ctx.error(
            "catalog",
            f"cannot alter type {shown(*type_.key)}: {relation.shown}.{used.name} uses it",
            remedy="make a new type, and change the column to it",
        )
    name, wanted = attribute
    if type_.attributes.get(name) != wanted:
        operation.rewrite_all(tables)
    _put(type_, tables, name, wanted)


def _put(type_: UserType, tables: list[Relation], name: str, wanted: Type) -> None:
    type_.attributes[name] = wanted
    for table in tables:
        if table.columns is not None:
            table.columns[name] = Column(name, wanted)
