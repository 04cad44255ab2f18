"""Functions that a statement runs without calling them: behind operators, casts, aggregates,
domains and parameters with a default, and where a row is stored."""

from __future__ import annotations

from collections.abc import Iterable

from shared.sql.context import Context
from shared.sql.effects import NONE
from shared.sql.grammar import Node
from shared.sql.mentions import mentions
from shared.sql.names import split_name, strings
from shared.sql.schema_objects import Implying, Relation


def imply(ctx: Context, kind: Implying, name: str, functions: Iterable[str]) -> None:
    """Remember what runs behind an object. Names are kept without their schemas: an object of the
    same name elsewhere is taken to run it too."""
    known = ctx.catalog.implied.get((kind, name), NONE)
    if found := known.union(functions):
        ctx.catalog.implied[(kind, name)] = found


def move_implied(ctx: Context, old: str, new: str) -> None:
    """A type or routine gets another name; one that keeps the old one is taken for it too."""
    for (kind, name), functions in list(ctx.catalog.implied.items()):
        if name == old and kind != "operator":
            imply(ctx, kind, new, functions)


def imply_defined(ctx: Context, kind: Implying, name: str, definition: list[Node]) -> None:
    """What CREATE OPERATOR or CREATE AGGREGATE names as its functions."""
    given = [each["DefElem"] for each in definition]
    types = [each.get("arg", {}) for each in given if each["defname"] in _FUNCTIONS]
    names = (strings(each.get("TypeName", {}).get("names"))[-1:] for each in types)
    imply(ctx, kind, name, (each[0] for each in names if each))


_FUNCTIONS = frozenset(
    {"function", "procedure", "restrict", "join"}
    | {"sfunc", "finalfunc", "combinefunc", "serialfunc", "deserialfunc"}
    | {"msfunc", "minvfunc", "mfinalfunc", "sfunc1"}
)


def implied_by(ctx: Context, node: Node) -> frozenset[str]:
    """Names of the functions that run with the operators, casts and calls of a statement."""
    known = ctx.catalog.implied
    if not known:
        return NONE
    mentioned, found = mentions(node), NONE
    for body in mentioned.operators:
        found |= known.get(("operator", split_name(body.get("name"))[1]), NONE)
    for body in mentioned.casts:
        found |= _of_type(ctx, split_name(body["typeName"].get("names"))[1])
    for body in mentioned.calls:
        name = split_name(body.get("funcname"))[1]
        found |= known.get(("aggregate", name), NONE)
        if ("parameter", name) in known and _leaves_out(ctx, body):
            found |= known[("parameter", name)]
    return found


def implied_by_text(ctx: Context, text: str) -> frozenset[str]:
    """What the domains ask that a body names: as types of its parameters and variables."""
    found = NONE
    for (kind, name), functions in ctx.catalog.implied.items():
        if kind == "domain" and name in text:
            found |= functions
    return found


def _leaves_out(ctx: Context, call: Node) -> bool:
    """Whether a call gives fewer arguments than a function of that name takes."""
    routines = ctx.catalog.routines_named(*split_name(call.get("funcname")), ctx.path)
    return any(len(call.get("args", ())) < len(each.arguments) for each in routines)


def _of_type(ctx: Context, name: str) -> frozenset[str]:
    known = ctx.catalog.implied
    return known.get(("cast", name), NONE) | known.get(("domain", name), NONE)


def implied_by_rows(ctx: Context, target: Relation) -> frozenset[str]:
    """Names of the functions that look at every row which is written to a table: its checks,
    computed columns, indexes, and what its types ask."""
    found = NONE
    for member in [target, *ctx.catalog.partitions_of(target)]:
        for constraint in member.constraints.values():
            if constraint.calls and constraint.enforced:
                found |= constraint.calls
        for index in ctx.catalog.indexes_over(member):
            found |= index.calls
    for column in (target.columns or {}).values():
        if column.generated == "s":
            found |= column.calls
        if ctx.catalog.implied:
            found |= _of_type(ctx, column.type.name)
    return found
