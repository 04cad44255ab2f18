"""Which partitions the constants of a statement leave: the planner locks no others.

Knows comparisons of a key of one column with constants, joined by AND. What it does not know, it
keeps: no partition is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from shared.sql.context import Context
from shared.sql.grammar import Node
from shared.sql.operations.key_conditions import Condition, conditions, conjuncts
from shared.sql.operations.key_values import key_value, ordered
from shared.sql.operations.partition_bounds import Bound, bound_of
from shared.sql.row_selection import is_nothing
from shared.sql.schema_objects import Relation


def left_by(ctx: Context, parent: Relation, node: Node) -> list[Relation]:
    """The partitions, at every level, that may have rows which an UPDATE or DELETE names."""
    alone = "fromClause" not in node and "usingClause" not in node
    return left_to(ctx, parent, node["relation"], filters(node.get("whereClause"), alone=alone))


def left_to(ctx: Context, parent: Relation, source: Node, where: Iterable[Node]) -> list[Relation]:
    """Those that may have rows for which all conditions hold; `source` is the RangeVar that names
    the parent where they stand."""
    name = source.get("alias", {}).get("aliasname", parent.name)
    parts = list(where)
    if any(map(is_nothing, parts)):
        return []
    return list(_kept(ctx, parent, list(conditions(ctx, parts, parent, name))))


def left_by_rows(ctx: Context, parent: Relation, node: Node) -> list[Relation]:
    """Those that the rows of an INSERT .. VALUES go to."""
    names = [each["ResTarget"]["name"] for each in node.get("cols", ())]
    names = names or list(parent.columns or ())
    query = node.get("selectStmt", {}).get("SelectStmt", {})
    rows = [row["List"]["items"] for row in query.get("valuesLists", ())]
    if not rows:
        return list(_kept(ctx, parent, []))
    found: dict[tuple[str, str], Relation] = {}
    for row in rows:
        pairs = zip(names, row, strict=False)
        given = {name: key_value(ctx, each, parent, name) for name, each in pairs}
        equal = [Condition(n, "=", (v,)) for n, v in given.items() if v is not None]
        found |= {each.key: each for each in _kept(ctx, parent, equal)}
    return list(found.values())


def filters(where: Node | None, *, alone: bool) -> list[Node]:
    """The parts of a WHERE that the planner applies to a source, `alone` or beside others: of one
    that is never true nothing else is left, and that belongs to all of them together."""
    parts = list(conjuncts(where))
    return parts if alone or not any(map(is_nothing, parts)) else []


def _kept(ctx: Context, parent: Relation, conditions: list[Condition]) -> Iterator[Relation]:
    children = [c for key in parent.children if (c := ctx.catalog.relations.get(key)) is not None]
    key = parent.partition_key or ()
    mine = [each for each in conditions if key == (each.column,)]
    bounds: dict[tuple[str, str], Bound] = {}
    for child in children if mine and parent.partition_strategy in ("r", "l") else ():
        if child.bound and not _is_default(child):
            bounds[child.key] = bound_of(ctx, parent, child.bound)
    for child in children:
        if child.key in bounds and not _fits(bounds[child.key], mine):
            continue
        if bounds and _is_default(child) and _covered(list(bounds.values()), mine):
            continue
        yield child
        yield from _kept(ctx, child, conditions)


def _is_default(child: Relation) -> bool:
    return bool((child.bound or {}).get("is_default"))


def _fits(bound: Bound, conditions: list[Condition]) -> bool:
    """Whether a partition may have rows for which all conditions hold."""
    if bound.listed is not None:
        if not bound.understood:
            return True
        return all(c.operator != "=" or bound.listed & set(c.values) for c in conditions)
    return all(any(_holds(c.operator, v, bound) for v in c.values) for c in conditions)


def _holds(operator: str, value: Any, bound: Bound) -> bool:
    """Whether some x within the bound is `operator` value."""
    low, high = bound.low, bound.high
    above = high is None or not ordered(high, value) or value < high
    below = low is None or not ordered(low, value)
    if operator == "=":
        return above and (below or low <= value)
    if operator == "<":
        return bool(below or low < value)
    if operator == "<=":
        return bool(below or low <= value)
    return above if operator in (">", ">=") else True


def _covered(bounds: list[Bound], conditions: list[Condition]) -> bool:
    """Whether the other partitions have every value that the conditions leave, so that the DEFAULT
    one has none."""
    equal = [c for c in conditions if c.operator == "="]
    if not all(bound.understood for bound in bounds):
        return False
    if equal:
        return all(any(_has(bound, value) for bound in bounds) for value in equal[0].values)
    if any(bound.listed is not None for bound in bounds):
        return False
    starts = [c.values[0] for c in conditions if c.operator in (">", ">=")]
    ends = [c for c in conditions if c.operator in ("<", "<=")]
    known = [value for bound in bounds for value in (bound.low, bound.high)]
    values = [*starts, *(c.values[0] for c in ends), *known]
    if not starts or not ends or not all(ordered(values[0], each) for each in values):
        return False
    reached, end = max(starts), min(c.values[0] for c in ends)
    for low, high in sorted((bound.low, bound.high) for bound in bounds):
        if low <= reached < high:
            reached = high
    return bool(reached > end or (reached == end and all(c.operator == "<" for c in ends)))


def _has(bound: Bound, value: Any) -> bool:
    """Whether the value is known to be one of the bound's."""
    if bound.listed is not None:
        return value in bound.listed
    ends = [end for end in (bound.low, bound.high) if end is not None]
    return all(ordered(end, value) for end in ends) and _holds("=", value, bound)
