"""ALTER TABLE: what ties a table to others: its parents, and the type that it is made of."""

from __future__ import annotations

from shared.sql.context import Context
from shared.sql.grammar import Node
from shared.sql.locks import Lock
from shared.sql.names import shown
from shared.sql.schema_objects import Relation


def inherit(ctx: Context, relation: Relation, cmd: Node) -> None:
    adds = cmd["subtype"] == "AT_AddInherit"
    parent = ctx.relation(cmd["def"]["RangeVar"])
    operation = ctx.operation("INHERIT" if adds else "NO_INHERIT", relation, parent)
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    operation.lock(parent, Lock.SHARE_UPDATE_EXCLUSIVE if adds else Lock.ACCESS_SHARE)
    if parent is None:
        return
    if adds:
        missing = set(parent.columns or ()) - set(relation.columns or parent.columns or ())
        if missing:
            ctx.error(
                "catalog",
                f"{relation.shown} cannot inherit from {parent.shown}: "
                f"it has no column {', '.join(sorted(missing))}",
            )
            return
        relation.parents.append(parent.key)
        parent.children.append(relation.key)
        ctx.catalog.note(parent)
    elif parent.key in relation.parents:
        relation.parents.remove(parent.key)
        parent.children.remove(relation.key)


def of_type(ctx: Context, relation: Relation, cmd: Node) -> None:
    adds = cmd["subtype"] == "AT_AddOf"
    operation = ctx.operation("OF_TYPE" if adds else "NOT_OF_TYPE", relation)
    operation.lock(relation, Lock.ACCESS_EXCLUSIVE)
    relation.of_type = ctx.type_of(cmd["def"]["TypeName"], operation).key if adds else None
    made_of = ctx.catalog.types.get(relation.of_type) if relation.of_type else None
    known = list(made_of.attributes) if made_of is not None else []
    if made_of is not None and known and known != list(relation.columns or known):
        ctx.error(
            "catalog",
            f"{relation.shown} cannot be made of {shown(*made_of.key)}: its columns are others",
        )
