"""The constants that a routine's variables hold, where the file calls it."""

from __future__ import annotations

from shared.sql.bodies import Body
from shared.sql.body_constants import CUSTOM_PLANS, is_constant
from shared.sql.context import Context
from shared.sql.grammar import Node
from shared.sql.names import shown
from shared.sql.schema_objects import Routine

Constants = dict[str, tuple[str, Node]]
"""Name of a variable -> (its type, the constant)."""


def declared(body: Body) -> Constants:
    """Those that the body itself gives."""
    return {s.name: (s.type, s.value) for s in body.settled if s.value is not None}


def constants_of(ctx: Context, routine: Routine, body: Body, call: Node | None) -> Constants:
    """None of a routine that may have run often, for rows or from other bodies, or calls itself:
    a plan for any value may be used then."""
    name = shown(routine.schema, routine.name)
    once = call is not None and not ctx.running and ctx.body_depth == 0
    ctx.runs[name] += 1 if once else CUSTOM_PLANS + 1
    itself = routine.name in (routine.body or "").lower()
    if call is None or not once or ctx.runs[name] > CUSTOM_PLANS or itself:
        return {}
    return declared(body) | dict(_given(body, call))


def _given(body: Body, call: Node) -> list[tuple[str, tuple[str, Node]]]:
    """The arguments that are constants, by place or by name."""
    arguments = call.get("args", ())
    by_name = {a["NamedArgExpr"]["name"]: a["NamedArgExpr"] for a in arguments if _is_named(a)}
    found = []
    for each in body.settled:
        value = by_name.get(each.name, {}).get("arg", {})
        if 0 <= each.number < len(arguments) and not _is_named(arguments[each.number]):
            value = arguments[each.number]
        if each.value is None and is_constant(value, each.type):
            found.append((each.name, (each.type, value)))
    return found


def _is_named(argument: Node) -> bool:
    return "NamedArgExpr" in argument
