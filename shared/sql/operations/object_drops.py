"""DROP of types, schemas, extensions, routines and the rest that holds no rows."""

from __future__ import annotations

from shared.domain.kinds import Kind
from shared.sql.context import Context
from shared.sql.effects import Operation
from shared.sql.extensions import TYPES
from shared.sql.grammar import Node
from shared.sql.locks import Lock
from shared.sql.names import scalar, shown, split_name, strings
from shared.sql.operations.drop_column import column_goes
from shared.sql.operations.extended_statistics import drop_statistics
from shared.sql.operations.publications import drop_publication
from shared.sql.operations.routine_lookup import find_routine
from shared.sql.operations.routine_users import let_go
from shared.sql.schema_objects import Key, Relation


def drop_type(ctx: Context, node: Node) -> None:
    domain = node["removeType"] == "OBJECT_DOMAIN"
    operation = ctx.operation("DROP_DOMAIN" if domain else "DROP_TYPE")
    cascade = node.get("behavior") == "DROP_CASCADE"
    for item in node["objects"]:
        schema, name = split_name(item["TypeName"].get("names"))
        found = ctx.catalog.type(schema, name, ctx.path)
        if found is None:
            if ctx.catalog.complete and not node.get("missing_ok"):
                ctx.error("catalog", f'type "{shown(schema, name)}" does not exist')
            elif not ctx.catalog.complete and cascade:
                operation.destroys += (f"every column of the type {shown(schema, name)}",)
            elif not ctx.catalog.complete:
                operation.breaks += (f"type {shown(schema, name)} is gone",)
            continue
        users = ctx.catalog.columns_of_type(found.key)
        _drop_typed(ctx, found.key, operation, cascade=cascade)
        if users and not cascade:
            where = ", ".join(f"{r.shown}.{c.name}" for r, c in users[:3])
            ctx.error(
                "catalog",
                f"cannot drop type {shown(*found.key)}: {where} is of that type",
                remedy="change the type of the column first",
            )
        for relation, column in users if cascade else ():
            column_goes(ctx, relation, column.name, operation)
        for domain in ctx.catalog.domains_over(found.key) if cascade else ():
            operation.gone += (f"domain {shown(*domain.key)}",)
            ctx.catalog.types.pop(domain.key, None)
        if not found.new:
            operation.breaks += (f"type {shown(*found.key)} is gone",)
        ctx.catalog.types.pop(found.key, None)


def _drop_typed(ctx: Context, type_: Key, operation: Operation, *, cascade: bool) -> None:
    """Tables made of the type go with it."""
    for table in [r for r in ctx.catalog.relations.values() if r.of_type == type_]:
        if cascade:
            _drop_inside(ctx, table, operation)
            ctx.catalog.relations.pop(table.key, None)
        else:
            ctx.error(
                "catalog",
                f"cannot drop type {shown(*type_)}: the table {table.shown} is made of it",
                remedy="drop the table, or ALTER TABLE .. NOT OF, first",
            )


def drop_schema(ctx: Context, node: Node) -> None:
    operation = ctx.operation("DROP_SCHEMA")
    cascade = node.get("behavior") == "DROP_CASCADE"
    for item in node["objects"]:
        name = scalar(item)
        if name not in ctx.catalog.schemas:
            if ctx.catalog.complete and not node.get("missing_ok"):
                ctx.error("catalog", f'schema "{name}" does not exist')
            elif not ctx.catalog.complete and cascade:
                operation.destroys += (f"everything in schema {name}",)
            elif not ctx.catalog.complete:
                operation.breaks += (f"schema {name} is gone",)
            continue
        _empty_schema(ctx, name, operation, cascade=cascade)
        ctx.catalog.schemas.discard(name)


def _empty_schema(ctx: Context, name: str, operation: Operation, *, cascade: bool) -> None:
    inside = [r for r in ctx.catalog.relations.values() if r.schema == name]
    types = [t for t in ctx.catalog.types.values() if t.schema == name]
    routines = [key for key, known in ctx.catalog.routines.items() if key[0] == name and known]
    held = [r.shown for r in inside] + [shown(*t.key) for t in types]
    held += [shown(*key) for key in routines]
    if held and not cascade:
        ctx.error(
            "catalog",
            f"cannot drop schema {name}: it holds {', '.join(held[:3])}"
            + (f" and {len(held) - 3} more" if len(held) > 3 else ""),
            remedy="drop or move what it holds first, or say CASCADE",
        )
        return
    for relation in inside:
        _drop_inside(ctx, relation, operation)
    for relation in inside:
        ctx.catalog.relations.pop(relation.key, None)
        for index in ctx.catalog.indexes_of(relation.key):
            del ctx.catalog.indexes[(index.schema, index.name)]
    for type_ in types:
        _drop_typed(ctx, type_.key, operation, cascade=True)
        for relation, column in ctx.catalog.columns_of_type(type_.key):
            column_goes(ctx, relation, column.name, operation)
        ctx.catalog.types.pop(type_.key, None)
    for key in routines:
        for routine in ctx.catalog.routines[key]:
            let_go(ctx, routine, operation, cascade=True)
        del ctx.catalog.routines[key]
    if held and name not in ctx.catalog.new_schemas:
        operation.breaks += (f"schema {name} is gone",)


def _drop_inside(ctx: Context, relation: Relation, operation: Operation) -> None:
    """One relation of a schema that goes, with what hangs on it from outside."""
    operation.gone += (f"{relation.kind} {relation.shown}",)
    if relation.kind != "sequence":
        operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    if relation.live and relation.kind == "table":
        operation.destroys += (f"every row of {relation.label}",)
    for constraint in relation.constraints.values():
        if constraint.refers_to is not None:
            operation.lock(ctx.catalog.relations.get(constraint.refers_to), Lock.ACCESS_EXCLUSIVE)
    for referrer, constraint in ctx.catalog.referrers_of(relation.key):
        if referrer.schema != relation.schema:
            operation.lock(referrer, Lock.ACCESS_EXCLUSIVE)
            operation.gone += (f"constraint {constraint.name} on {referrer.shown}",)
            referrer.constraints.pop(constraint.name, None)
    for view in ctx.catalog.readers_of(relation.key):
        if view.schema != relation.schema:
            operation.gone += (f"{view.kind} {view.shown}",)
            operation.lock(view, Lock.ACCESS_EXCLUSIVE)
            ctx.catalog.relations.pop(view.key, None)


def drop_extension(ctx: Context, node: Node) -> None:
    operation = ctx.operation("DROP_EXTENSION")
    cascade = node.get("behavior") == "DROP_CASCADE"
    for item in node["objects"]:
        name = scalar(item)
        operation.needs(
            Kind.RISKY,
            f"what the extension {name} made, and columns of its types, go with it",
            "make sure that nothing uses it, and drop it in a risky migration",
        )
        if name not in ctx.catalog.extensions:
            if ctx.catalog.complete and not node.get("missing_ok"):
                ctx.error("catalog", f'extension "{name}" does not exist')
            continue
        if name not in operation.extensions:
            operation.extensions += (name,)
        made = {type_ for type_, extension in TYPES.items() if extension == name}
        for relation in ctx.catalog.relations.values():
            for column in list((relation.columns or {}).values()):
                if column.type.name not in made:
                    continue
                if not cascade:
                    ctx.error(
                        "catalog",
                        f"cannot drop extension {name}: {relation.shown}.{column.name} is of "
                        f"its type {column.type.name}",
                    )
                    continue
                column_goes(ctx, relation, column.name, operation)
        ctx.catalog.extensions.discard(name)


_ROUTINES = {
    "OBJECT_FUNCTION": "DROP_FUNCTION",
    "OBJECT_PROCEDURE": "DROP_PROCEDURE",
    "OBJECT_ROUTINE": "DROP_ROUTINE",
    "OBJECT_AGGREGATE": "DROP_AGGREGATE",
}


def drop_routine(ctx: Context, node: Node) -> None:
    type_ = _ROUTINES[node["removeType"]]
    operation = ctx.operation(type_)
    cascade = node.get("behavior") == "DROP_CASCADE"
    for item in node["objects"]:
        body = item["ObjectWithArgs"]
        schema, name = split_name(body.get("objname"))
        found = find_routine(ctx, body)
        if found is None:
            if ctx.catalog.complete and not node.get("missing_ok"):
                words = type_.removeprefix("DROP_").lower()
                ctx.error("catalog", f"{words} {shown(schema, name)}() does not exist")
            elif not ctx.catalog.complete:
                operation.breaks += (f"{shown(schema, name)}() is gone",)
                if cascade:
                    operation.destroys += (f"every column that {shown(schema, name)}() computes",)
            continue
        let_go(ctx, found, operation, cascade=cascade)
        if not found.new:
            operation.breaks += (f"{shown(found.schema, found.name)}() is gone",)
        ctx.catalog.routines[(found.schema, found.name)].remove(found)


def drop_other(ctx: Context, node: Node) -> None:
    """Collations, text search objects, publications, statistics, ..: named after the object."""
    type_ = "DROP_" + node["removeType"].removeprefix("OBJECT_")
    type_ = _RENAMED.get(type_, type_)
    operation = ctx.operation(type_)
    names = [".".join(strings(i["List"]["items"])) if "List" in i else scalar(i) or ""
             for i in node["objects"]]  # fmt: skip
    if type_ == "DROP_STATISTICS":
        drop_statistics(ctx, node["objects"], operation)
    for name in names if type_ == "DROP_PUBLICATION" else ():
        drop_publication(ctx, name)
    for name in names if type_ == "DROP_EVENT_TRIGGER" else ():
        ctx.catalog.event_triggers.pop(name, None)
    if type_ == "DROP_COLLATION" and node.get("behavior") == "DROP_CASCADE":
        for name in names:
            _with_collation(ctx, name, operation)
    if type_ not in _HARMLESS:
        for name in names:
            operation.breaks += (f"{type_.removeprefix('DROP_').lower()} {name} is gone",)


def _with_collation(ctx: Context, name: str, operation: Operation) -> None:
    """CASCADE takes the columns that are sorted by it."""
    if not ctx.catalog.complete:
        operation.destroys += (f"every column of the collation {name}",)
    short = name.rpartition(".")[2]
    for relation in list(ctx.catalog.relations.values()):
        for column in list((relation.columns or {}).values()):
            if column.collation == short:
                column_goes(ctx, relation, column.name, operation)


_RENAMED = {
    "DROP_STATISTIC_EXT": "DROP_STATISTICS",
    "DROP_FDW": "DROP_FOREIGN_DATA_WRAPPER",
    "DROP_FOREIGN_SERVER": "DROP_SERVER",
    "DROP_TSCONFIGURATION": "DROP_TEXT_SEARCH_CONFIGURATION",
    "DROP_TSDICTIONARY": "DROP_TEXT_SEARCH_DICTIONARY",
}
_HARMLESS = ("DROP_STATISTICS", "DROP_EVENT_TRIGGER")
