"""Schemas, sequences, extensions, comments, statistics, publications and other light objects."""

from __future__ import annotations

from contextlib import nullcontext

from shared.domain.kinds import Kind
from shared.sql.context import Context
from shared.sql.definitions import check_columns
from shared.sql.effects import Operation
from shared.sql.expressions import relations
from shared.sql.extensions import PACKAGED, SHIPPED
from shared.sql.grammar import Node
from shared.sql.implied_calls import imply, imply_defined
from shared.sql.locks import Lock
from shared.sql.names import flag, option, range_var, scalar, split_name, strings
from shared.sql.operations.routine_lookup import find_routine
from shared.sql.schema_objects import Relation, Routine
from shared.sql.triggers import EventTrigger, read_rule
from shared.sql.types import read_type


def create_schema(ctx: Context, node: Node) -> None:
    ctx.operation("CREATE_SCHEMA")
    name = node.get("schemaname") or node.get("authrole", {}).get("rolename", "")
    if name in ctx.catalog.schemas and name != "public":
        if not node.get("if_not_exists"):
            ctx.error("catalog", f'schema "{name}" already exists', remedy="say IF NOT EXISTS")
    elif name == "public" and not node.get("if_not_exists") and ctx.catalog.complete:
        ctx.error("catalog", 'schema "public" already exists')
    elif not ctx.building:
        ctx.catalog.new_schemas.add(name)
    ctx.catalog.schemas.add(name)
    outer = list(ctx.path)
    ctx.path[:] = [name, *outer]
    for element in node.get("schemaElts", ()):
        for tag, inner in element.items():
            ctx.look(ctx, tag, inner)
    ctx.path[:] = outer


def create_sequence(ctx: Context, node: Node) -> None:
    operation = ctx.operation("CREATE_SEQUENCE")
    schema, name = range_var(node["sequence"])
    made = Relation(ctx.schema_for(schema), name, "sequence", new=not ctx.building)
    if made.key in ctx.catalog.relations:
        if not node.get("if_not_exists"):
            ctx.error("catalog", f'relation "{made.shown}" already exists')
        return
    ctx.catalog.relations[made.key] = made
    _own(ctx, made, node, operation)


def alter_sequence(ctx: Context, node: Node) -> None:
    missing_ok = bool(node.get("missing_ok"))
    sequence = ctx.relation(node["sequence"], missing_ok=missing_ok, kind="sequence")
    operation = ctx.operation("ALTER_SEQUENCE", sequence)
    if sequence is None:
        return
    if sequence.kind != "sequence" and not sequence.presumed:
        ctx.error("catalog", f'"{sequence.shown}" is not a sequence')
    if option(node.get("options"), "restart") is not None and sequence.live:
        operation.needs(
            Kind.RISKY,
            f"{sequence.label} restarts: values that clients use now may come again, or be left "
            "out, and a sequence does not follow replication",
            "advance it with setval in the cutover, or leave it",
        )
    _own(ctx, sequence, node, operation)


def _own(ctx: Context, sequence: Relation, node: Node, operation: Operation) -> None:
    given = option(node.get("options"), "owned_by")
    if not isinstance(given, dict):
        return
    parts = strings(given["List"]["items"])
    if parts == ["none"]:
        sequence.owned_by = None
    elif len(parts) > 1:
        schema = parts[-3] if len(parts) > 2 else None
        table = ctx.named(schema, parts[-2])
        if table is not None:
            operation.lock(table, Lock.ACCESS_SHARE)
            check_columns(ctx, table, [parts[-1]], None)
            sequence.owned_by = (table.key, parts[-1])
            ctx.catalog.note(sequence)


def create_extension(ctx: Context, node: Node) -> None:
    operation = ctx.operation("CREATE_EXTENSION")
    name = node["extname"]
    operation.extensions += (name,)
    available = ctx.catalog.available_extensions
    if available is not None and name not in available:
        ctx.error(
            "extension",
            f'extension "{name}" is not available on the server',
            remedy=f"install the package that brings {name} on both servers first",
        )
    elif available is None and name not in SHIPPED | PACKAGED:
        ctx.error(
            "catalog",
            f'extension "{name}" is not one that PostgreSQL ships or that is widely packaged',
            remedy="mend the name; or validate against the live database, which knows what it has",
        )
    if name in ctx.catalog.extensions and not node.get("if_not_exists") and ctx.catalog.complete:
        ctx.error("catalog", f'extension "{name}" already exists', remedy="say IF NOT EXISTS")
    ctx.catalog.extensions.add(name)
    if option(node.get("options"), "cascade") is not None:
        ctx.catalog.extensions |= _NEEDS.get(name, set())


_NEEDS = {"earthdistance": {"cube"}, "postgis_topology": {"postgis"}, "postgis_raster": {"postgis"}}


def comment(ctx: Context, node: Node) -> None:
    operation = ctx.operation("COMMENT")
    kind, target = node["objtype"], node.get("object", {})
    if kind in ("OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SEQUENCE"):
        schema, name = split_name(target["List"]["items"])
        relation = ctx.named(schema, name)
    elif kind == "OBJECT_COLUMN":
        *table, column = strings(target["List"]["items"])
        if not table:
            ctx.error("syntax", f'column "{column}" is of no table', remedy="write table.column")
            return
        schema = table[-2] if len(table) > 1 else None
        if ctx.catalog.relation(schema, table[-1], ctx.path) is None and ctx.catalog.type(
            schema, table[-1], ctx.path
        ):
            return  # an attribute of a composite type
        relation = ctx.named(schema, table[-1])
        if relation is not None and relation.columns is not None and column not in relation.columns:
            ctx.error("catalog", f'column "{column}" of relation "{relation.shown}" does not exist')
    elif kind in _PART_OF_A_TABLE:
        *table, _ = strings(target["List"]["items"])
        relation = ctx.named(table[-2] if len(table) > 1 else None, table[-1])
    else:
        return
    if relation is not None:
        operation.touch(relation)
        light = kind in _PART_OF_A_TABLE
        if relation.kind != "sequence":
            operation.lock(relation, Lock.ACCESS_SHARE if light else Lock.SHARE_UPDATE_EXCLUSIVE)


_PART_OF_A_TABLE = ("OBJECT_TABCONSTRAINT", "OBJECT_TRIGGER", "OBJECT_POLICY", "OBJECT_RULE")
"""Their table is only looked up (get_object_address_relobject in objectaddress.c)."""


def create_event_trigger(ctx: Context, node: Node) -> None:
    ctx.operation("CREATE_EVENT_TRIGGER")
    name = node.get("trigname", "")
    if name in ctx.catalog.event_triggers:
        ctx.error("catalog", f'event trigger "{name}" already exists')
    schema, function = split_name(node.get("funcname"))
    known = ctx.catalog.routines_named(schema, function, ctx.path)
    key = (known[0].schema, known[0].name) if known else (schema or "", function)
    ctx.catalog.event_triggers[name] = EventTrigger(node.get("eventname", ""), key)
    ctx.catalog.watched = True
    if ctx.catalog.complete and not known:
        ctx.error("catalog", f"function {function}() does not exist")
    elif known and known[0].returns not in ("event_trigger", ""):
        ctx.error("catalog", f"function {function}() must return event_trigger")


def define(ctx: Context, node: Node) -> None:
    """CREATE AGGREGATE, OPERATOR, TYPE (base), COLLATION, TEXT SEARCH .."""
    kind = node.get("kind", "").removeprefix("OBJECT_")
    ctx.operation(f"CREATE_{_DEFINED.get(kind, kind)}")
    schema, name = split_name(node.get("defnames"))
    if kind == "OPERATOR":
        imply_defined(ctx, "operator", name, node.get("definition", []))
    if kind == "AGGREGATE":
        imply_defined(ctx, "aggregate", name, node.get("definition", []))
        key = (ctx.schema_for(schema), name)
        made = Routine(*key, kind="aggregate", volatility="immutable", new=not ctx.building)
        listed = node.get("args", [{}])[0].get("List", {}).get("items", ())
        made.arguments = tuple(str(read_type(p["FunctionParameter"]["argType"])) for p in listed)
        ctx.catalog.routines.setdefault(key, []).append(made)


_DEFINED = {
    "TSPARSER": "TEXT_SEARCH_PARSER",
    "TSDICTIONARY": "TEXT_SEARCH_DICTIONARY",
    "TSTEMPLATE": "TEXT_SEARCH_TEMPLATE",
    "TSCONFIGURATION": "TEXT_SEARCH_CONFIGURATION",
}


def create_cast(ctx: Context, node: Node) -> None:
    ctx.operation("CREATE_CAST")
    function = node.get("func", {}).get("objname")
    if function:
        _, target = split_name(node["targettype"].get("names"))
        imply(ctx, "cast", target, [split_name(function)[1]])


def create_rule(ctx: Context, node: Node) -> None:
    relation = ctx.relation(node["relation"])
    operation = ctx.operation("CREATE_RULE", relation)
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    if relation is not None and relation.live:
        operation.breaks += (f"statements on {relation.label} are rewritten by a rule",)
    for action in node.get("actions", ()):
        for body in action.values():
            for each in relations(body):
                written = each is body.get("relation")
                mode = Lock.ROW_EXCLUSIVE if written else Lock.ACCESS_SHARE
                operation.lock(ctx.find(each), mode)
    if relation is not None and node["rulename"] != "_RETURN":
        relation.rules[node["rulename"]] = read_rule(node)


def alter_routine(ctx: Context, node: Node) -> None:
    """ALTER FUNCTION .. STABLE and the like: what is asked of it from now on."""
    ctx.operation("ALTER_FUNCTION")
    body = node.get("func", {})
    schema, name = split_name(body.get("objname"))
    if ctx.catalog.complete and not ctx.catalog.routines_named(schema, name, ctx.path):
        ctx.error("catalog", f"function {name}() does not exist")
    found = find_routine(ctx, body)
    volatility = scalar(option(node.get("actions"), "volatility"))
    if found is not None and volatility in ("immutable", "stable", "volatile"):
        found.volatility = volatility


def explain(ctx: Context, node: Node) -> None:
    """EXPLAIN runs its statement only with ANALYZE; its locks are those of planning it."""
    runs = flag(node.get("options"), "analyze")
    with nullcontext() if runs else ctx.planned():
        for tag, inner in node["query"].items():
            ctx.look(ctx, tag, inner)
    assert ctx.step is not None
    for operation in ctx.step.operations[-1:]:
        operation.type = "EXPLAIN"
        if not runs:
            explained = Operation("EXPLAIN", operation.tables, locks=operation.locks)
            ctx.step.operations[-1] = explained


def prepare(ctx: Context, node: Node) -> None:
    """A statement is planned; what it does is done by each EXECUTE."""
    with ctx.planned():
        for tag, inner in node["query"].items():
            ctx.look(ctx, tag, inner)
    ctx.prepared[node["name"]] = node["query"]
    assert ctx.step is not None
    for operation in ctx.step.operations[-1:]:
        planned = Operation("PREPARE", operation.tables, locks=operation.locks)
        ctx.step.operations[-1] = planned


def alter_extension(ctx: Context, node: Node) -> None:
    ctx.operation("ALTER_EXTENSION").needs(
        Kind.RISKY,
        f"the script that brings the extension {node.get('extname')} to another version may lock, "
        "copy or remove anything",
        "read it, or run it as a risky migration: green is brought up to date while blue serves",
    )


def named(type_: str) -> object:
    """A statement that touches no table of the user's."""

    def handler(ctx: Context, node: Node) -> None:
        ctx.operation(type_)

    return handler


def unknown(ctx: Context, tag: str) -> None:
    """Not on the list of what is known: never safe."""
    operation = ctx.operation(tag.removesuffix("Stmt").upper())
    mark_unknown(operation, tag)


def mark_unknown(operation: Operation, tag: str) -> None:
    operation.note("unknown")
    operation.needs(
        Kind.MAINTENANCE,
        f"{tag} is not on the list of statements whose effects are known",
        "take it out of the migration, or run it in a maintenance window",
    )
