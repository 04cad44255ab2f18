"""Extended statistics: they hold their table only while they are made or dropped."""

from __future__ import annotations

from shared.sql.context import Context
from shared.sql.effects import Operation
from shared.sql.grammar import Node
from shared.sql.locks import Lock
from shared.sql.names import split_name
from shared.sql.schema_objects import Key, Relation


def create_statistics(ctx: Context, node: Node) -> None:
    operation = ctx.operation("CREATE_STATISTICS")
    schema, name = split_name(node.get("defnames"))
    for each in node.get("relations", ()):
        relation = ctx.relation(each["RangeVar"]) if "RangeVar" in each else None
        if relation is not None:
            operation.touch(relation)
            operation.lock(relation, Lock.SHARE_UPDATE_EXCLUSIVE)
            place = ctx.schema_for(schema) if name else relation.schema
            relation.statistics.add((place, name or _name(relation, node)))


def _name(relation: Relation, node: Node) -> str:
    """What PostgreSQL calls them when the file does not."""
    parts = [each["StatsElem"].get("name", "expr") for each in node.get("exprs", ())]
    return "_".join([relation.name, *parts, "stat"])


def drop_statistics(ctx: Context, names: list[Node], operation: Operation) -> None:
    for relation, key in _found(ctx, names):
        operation.lock(relation, Lock.SHARE_UPDATE_EXCLUSIVE)
        relation.statistics.discard(key)


def move_statistics(ctx: Context, name: list[Node], *, to: str = "", schema: str = "") -> None:
    """Give them another name, or put them into another schema."""
    for relation, key in _found(ctx, [{"List": {"items": name}}]):
        relation.statistics.discard(key)
        relation.statistics.add((schema or key[0], to or key[1]))


def _found(ctx: Context, names: list[Node]) -> list[tuple[Relation, Key]]:
    found = []
    for item in names:
        schema, name = split_name(item.get("List", {}).get("items"))
        places = [schema] if schema else ctx.path
        for relation in ctx.catalog.relations.values():
            if relation.statistics:
                known = [(place, name) for place in places if (place, name) in relation.statistics]
                found += [(relation, key) for key in known[:1]]
    return found
