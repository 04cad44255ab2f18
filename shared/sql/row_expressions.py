"""What an expression over one row may hold, where it stands in an index, a CHECK, a DEFAULT or a
generated column: no query, no aggregate; and what gives the same at any time.

Only what is certain is refused: functions and casts whose types are known.
Source: pg_proc.provolatile and pg_cast of PostgreSQL 15 to 18.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.sql.builtins import functions
from shared.sql.context import Context
from shared.sql.expressions import call_volatility, may_be_immutable, volatility
from shared.sql.grammar import Node
from shared.sql.mentions import mentions
from shared.sql.names import split_name, strings
from shared.sql.schema_objects import Column, Type
from shared.sql.types import base_type, read_type, resolved
from shared.sql.words import words


def check_row(ctx: Context, node: Any, place: str, at: int | None = None) -> None:
    """A problem for a query, an aggregate or a window in an expression; `place` names where it
    stands: `a CHECK`."""
    if ctx.building or not node or "A_Const" in node:
        return
    mentioned = mentions(node)
    found = ["query"] if mentioned.queries else []
    for call in mentioned.calls:
        schema, name = split_name(call.get("funcname"))
        if "over" in call:
            found.append("window function")
        elif name in _AGGREGATES and not ctx.catalog.routines_named(schema, name, ctx.path):
            found.append(f"{name}(), which is an aggregate,")
    for what in found[:1]:
        ctx.error("catalog", f"{place} is about one row: no {what} can stand in it", at=at)


_AGGREGATES = words("""
    any_value array_agg avg bit_and bit_or bit_xor bool_and bool_or count every json_agg
    json_object_agg jsonb_agg jsonb_object_agg max min range_agg stddev stddev_pop stddev_samp
    string_agg sum var_pop var_samp variance xmlagg""")


def check_generation(
    ctx: Context, column: Column, known: Mapping[str, Column], expression: Any, at: int | None
) -> None:
    """A problem for what the expression of a generated column may not hold."""
    check_row(ctx, expression, "a generated column", at)
    computed = sorted(name for name in column.reads if name in known and known[name].generated)
    if computed:
        ctx.error(
            "catalog",
            f'the generated column "{column.name}" reads "{computed[0]}", which is generated too',
            at=at,
            remedy="write the other one's expression in its place",
        )
    worst = volatility(ctx, expression, kindly=True)
    why = changing(ctx, known, expression)
    if worst != "immutable" or why:
        ctx.error(
            "catalog",
            f'the generation expression of "{column.name}" is not immutable: '
            f"{why or f'it is {worst}'}",
            at=at,
            remedy="use functions that are IMMUTABLE",
        )


def changing(ctx: Context, known: Mapping[str, Column], node: Any) -> str:
    """What in the expression is not immutable, in words; empty where nothing certainly is.

    `known`: the columns of the table.
    """
    if not node or "A_Const" in node:
        return ""
    mentioned = mentions(node)
    for call in mentioned.calls:
        if why := _call(ctx, known, call):
            return why
    for body in mentioned.casts:
        origin, target = _kind(ctx, known, body.get("arg", {})), _named(ctx, body["typeName"])
        if _changes(origin, target):
            return f"the cast of {origin} to {target}"
    return "the time or the user of now" if mentioned.values else ""


def _call(ctx: Context, known: Mapping[str, Column], call: Node) -> str:
    schema, name = split_name(call.get("funcname"))
    own = schema != "pg_catalog" and ctx.catalog.routines_named(schema, name, ctx.path)
    if not own and (name not in functions() or name == "ts_rewrite"):
        return ""
    worst = call_volatility(ctx, call)
    if worst == "immutable" or (own and len(own) > 1):
        return ""
    if own or not may_be_immutable(call):
        return f"{name}(), which is {worst},"
    kinds = [_kind(ctx, known, each) for each in call.get("args", ())]
    if name in ("date_trunc", "date_part", "extract") and kinds[1:2] == ["timestamptz"]:
        return f"{name}() of timestamptz"
    return "age() up to today" if name == "age" and len(kinds) == 1 else ""


def _kind(ctx: Context, known: Mapping[str, Column], node: Node) -> str:
    """The type that an expression gives, by its name, where that is plain to see."""
    if "ColumnRef" in node:
        column = known.get(strings(node["ColumnRef"].get("fields"))[-1])
        return "" if column is None else _shape(ctx, base_type(column.type, ctx.catalog))
    if "CollateClause" in node:
        return _kind(ctx, known, node["CollateClause"].get("arg", {}))
    if "TypeCast" in node:
        return _named(ctx, node["TypeCast"]["typeName"])
    if strings(node.get("A_Expr", {}).get("name")) in (["->>"], ["#>>"]):
        return "text"
    call = node.get("FuncCall", {})
    name, arguments = split_name(call.get("funcname"))[1], call.get("args", ())
    if name not in ("timezone", "date_trunc") or len(arguments) != 2:
        return ""
    given = _kind(ctx, known, arguments[1])
    return _IN_ANOTHER_ZONE.get(given, "") if name == "timezone" else given


_IN_ANOTHER_ZONE = {"timestamptz": "timestamp", "timestamp": "timestamptz"}


def _named(ctx: Context, name: Node) -> str:
    type_ = resolved(read_type(name), ctx.catalog, ctx.path)
    return _shape(ctx, base_type(type_, ctx.catalog))


def _shape(ctx: Context, type_: Type) -> str:
    if type_.array:
        return "an array"
    if type_.schema is None:
        return type_.name
    made = ctx.catalog.types.get(type_.key)
    return "an enum" if made is not None and made.kind == "enum" else ""


_STRINGS = frozenset({"text", "varchar", "bpchar"})
_WRITTEN_BY_SETTINGS = (
    words(
        "date timestamp timestamptz money regclass int4range int8range numrange tsrange tstzrange"
    )
    | words("daterange")
    | {"an enum", "an array"}
)
"""Types whose text depends on settings or catalogs."""
_READ_BY_SETTINGS = words("date time timetz timestamp timestamptz interval money regclass xml") | {
    "an enum"
}
_STABLE = frozenset(
    {("timestamptz", each) for each in ("date", "time", "timetz", "timestamp")}
    | {("date", "timestamptz"), ("timestamp", "timestamptz"), ("time", "timetz")}
)


def _changes(origin: str, target: str) -> bool:
    if target in _STRINGS:
        return origin in _WRITTEN_BY_SETTINGS
    if origin in _STRINGS:
        return target in _READ_BY_SETTINGS
    return (origin, target) in _STABLE
