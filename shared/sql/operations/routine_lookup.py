"""Which routine a statement means by a name and, mostly, argument types."""

from __future__ import annotations

from shared.sql.context import Context
from shared.sql.grammar import Node
from shared.sql.names import split_name
from shared.sql.schema_objects import Routine
from shared.sql.types import read_type


def find_routine(ctx: Context, body: Node) -> Routine | None:
    """What an ObjectWithArgs names; None when there is none, or when several may be meant."""
    schema, name = split_name(body.get("objname"))
    known = ctx.catalog.routines_named(schema, name, ctx.path)
    if body.get("args_unspecified"):
        return known[0] if known else None
    wanted = tuple(str(read_type(a["TypeName"])) for a in body.get("objargs", ()))
    exact = [routine for routine in known if routine.arguments == wanted]
    if exact:
        return exact[0]
    same_count = [r for r in known if len(r.arguments) == len(wanted)]
    return same_count[0] if len(same_count) == 1 else None
