"""What an expression or a query refers to: columns, functions, relations; how volatile it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.sql.bodies import read_body
from shared.sql.builtins import Volatility, functions
from shared.sql.context import Context
from shared.sql.effects import Operation
from shared.sql.extensions import FUNCTIONS, VOLATILE_FUNCTIONS
from shared.sql.grammar import Node, SyntaxProblem
from shared.sql.implied_calls import implied_by
from shared.sql.mentions import mentions
from shared.sql.names import split_name, strings
from shared.sql.schema_objects import Routine
from shared.sql.words import words

_RANK: dict[Volatility, int] = {"immutable": 0, "stable": 1, "volatile": 2}


def walk(node: Any) -> Iterator[tuple[str, Any]]:
    """Every tagged node below `node`, itself included, as (tag, fields)."""
    stack = [node]
    while stack:
        each = stack.pop()
        kind = type(each)
        if kind is dict:
            for key, value in each.items():
                if key < "a":  # tags begin with a capital letter, fields never do
                    yield key, value
                kind = type(value)
                if kind is dict or kind is list:
                    stack.append(value)
        elif kind is list:
            stack.extend(reversed(each))


def columns(node: Any) -> frozenset[str]:
    """Names of the columns that an expression over one table reads."""
    found = set()
    for body in mentions(node).columns:
        names = strings(body.get("fields"))
        if names and names[-1] != "*":
            found.add(names[-1])
    return frozenset(found)


def relations(query: Any) -> list[Node]:
    """RangeVars of a query, without the names of its own WITH clauses."""
    found = mentions(query)
    if not found.ctes:
        return found.ranges
    own = {body.get("ctename") for body in found.ctes}
    return [r for r in found.ranges if "schemaname" in r or r.get("relname") not in own]


def calls(node: Any) -> list[Node]:
    return mentions(node).calls


def called(*nodes: Any) -> frozenset[str]:
    """Names of the functions that expressions call, without their schemas."""
    return frozenset([split_name(c.get("funcname"))[1] for node in nodes for c in calls(node)])


_MIXED = words("""
    age date date_add date_part date_subtract date_trunc extract in_range length numeric overlaps
    quote_literal quote_nullable time timestamp timestamptz timetz timezone to_timestamp""")
"""Names that are immutable for some argument types and stable for others."""
_TEXT_SEARCH = words("""
    to_tsvector to_tsquery plainto_tsquery phraseto_tsquery websearch_to_tsquery ts_headline
    json_to_tsvector jsonb_to_tsvector""")
"""Immutable where the first argument names the configuration."""


def volatility(ctx: Context, node: Any, *, kindly: bool = False) -> Volatility:
    """The most volatile thing that an expression calls.

    A function that nobody knows counts as volatile: that is what CREATE FUNCTION makes by default.
    `kindly`: where the types of the arguments decide, which are not looked at, the better one.
    """
    mentioned = mentions(node)
    worst: Volatility = "stable" if mentioned.values else "immutable"
    for body in mentioned.calls:
        found = call_volatility(ctx, body)
        if kindly and found == "stable" and may_be_immutable(body):
            found = "immutable"
        if _RANK[found] > _RANK[worst]:
            worst = found
    for name in implied_by(ctx, node):
        found = _named_volatility(ctx, name)
        if _RANK[found] > _RANK[worst]:
            worst = found
    return worst


def _named_volatility(ctx: Context, name: str) -> Volatility:
    """The most volatile of all functions of a name, whatever their schema."""
    own = [each for key in ctx.catalog.routines if key[1] == name
           for each in ctx.catalog.routines[key]]  # fmt: skip
    if own:
        return max((_inlined(ctx, routine) for routine in own), key=_RANK.__getitem__)
    known = functions().get(name)
    return known.volatility if known is not None else "volatile"


def may_be_immutable(call: Node) -> bool:
    """Whether the types of its arguments decide."""
    _, name = split_name(call.get("funcname"))
    return name in _MIXED or (name in _TEXT_SEARCH and len(call.get("args", ())) > 1)


def call_volatility(ctx: Context, call: Node) -> Volatility:
    schema, name = split_name(call.get("funcname"))
    own = ctx.catalog.routines_named(schema, name, ctx.path)
    if own and schema != "pg_catalog":
        return max((_inlined(ctx, routine) for routine in own), key=_RANK.__getitem__)
    if known := functions().get(name):
        return known.volatility
    if name in FUNCTIONS:
        return "volatile" if name in VOLATILE_FUNCTIONS else "immutable"
    return "volatile"


def _inlined(ctx: Context, routine: Routine) -> Volatility:
    """PostgreSQL puts the expression of a simple SQL function in its place, and judges that."""
    if routine.language != "sql" or routine.volatility != "volatile":
        return routine.volatility
    try:
        parts = read_body("sql", routine.body or "", routine.definition).parts
        trees = [raw for part in parts for raw in part.trees()]
    except SyntaxProblem:
        return routine.volatility
    select = trees[0]["stmt"].get("SelectStmt", {}) if len(trees) == 1 else {}
    plain = (
        set(select) <= {"targetList", "limitOption", "op"}
        and len(select.get("targetList", ())) == 1
    )
    name = f"{routine.schema}.{routine.name}"
    if not plain or any(tag == "SubLink" for tag, _ in walk(select)) or name in ctx.running:
        return routine.volatility
    ctx.running.append(name)
    try:
        return volatility(ctx, select["targetList"])
    finally:
        ctx.running.pop()


def check_calls(ctx: Context, node: Any, operation: Operation | None) -> None:
    """Functions and types that the server does not have, or that an extension must bring."""
    mentioned = mentions(node)
    if ctx.catalog.complete and not ctx.building:
        for body in mentioned.casts:
            ctx.type_of(body["typeName"], operation)
    for call in mentioned.calls:
        schema, name = split_name(call.get("funcname"))
        at = call.get("location")
        if ctx.catalog.routines_named(schema, name, ctx.path):
            continue
        known = functions().get(name)
        if known is not None and schema in (None, "pg_catalog"):
            if known.since > ctx.version:
                ctx.error(
                    "version",
                    f"{name}() came with PostgreSQL {known.since}; the server is {ctx.version}",
                    at=at,
                )
        elif name in FUNCTIONS:
            ctx.require(FUNCTIONS[name], f"function {name}()", operation, at)
        elif ctx.catalog.complete and not ctx.building and not _from_extension(ctx):
            ctx.error("catalog", f"function {name}() does not exist", at=at)


def _from_extension(ctx: Context) -> bool:
    """Whether some installed extension may have brought a function that is in no list."""
    return bool(ctx.catalog.extensions - {"plpgsql"}) and not ctx.catalog.from_server
