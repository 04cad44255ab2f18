"""Which partitions the constants of a statement leave: the planner locks no others.

Knows comparisons of a key of one column with constants, joined by AND. What it does not know, it
keeps: no partition is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from shared.sql.context import Context
from shared.sql.grammar import Node
from shared.sql.names import scalar, strings
from shared.sql.operations.partition_bounds import comparable, conjuncts, limits, moment
from shared.sql.row_selection import is_nothing
from shared.sql.schema_objects import Relation
from shared.sql.types import read_type


class Condition(NamedTuple):
    column: str
    operator: str
    values: tuple[Any, ...]
    """More than one only of `=`: any of them."""


def left_by(ctx: Context, parent: Relation, node: Node) -> list[Relation]:
    """The partitions, at every level, that may have rows which an UPDATE or DELETE names."""
    alone = "fromClause" not in node and "usingClause" not in node
    return left_to(ctx, parent, node["relation"], filters(node.get("whereClause"), alone=alone))


def left_to(
    ctx: Context, parent: Relation, source: Node, conditions: Iterable[Node]
) -> list[Relation]:
    """Those that may have rows for which all conditions hold; `source` is the RangeVar that names
    the parent where they stand."""
    name = source.get("alias", {}).get("aliasname", parent.name)
    parts = list(conditions)
    if any(map(is_nothing, parts)):
        return []
    return list(_kept(ctx, parent, list(_conditions(parts, parent, name))))


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
        given = {name: moment(scalar(each)) for name, each in zip(names, row, strict=False)}
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
    bounds = [child.bound for child in children if child.bound and not _is_default(child)]
    for child in children:
        if child.bound and mine and parent.partition_strategy in ("r", "l"):
            gone = _covered(bounds, mine) if _is_default(child) else not _fits(child.bound, mine)
            if gone:
                continue
        yield child
        yield from _kept(ctx, child, conditions)


def _is_default(child: Relation) -> bool:
    return bool((child.bound or {}).get("is_default"))


def _conditions(parts: Iterable[Node], parent: Relation, known_as: str) -> Iterator[Condition]:
    for part in parts:
        if part.get("BoolExpr", {}).get("boolop") == "OR_EXPR":
            yield from _any_of(part["BoolExpr"]["args"], parent, known_as)
        body = part.get("A_Expr", {})
        fields = strings(body.get("lexpr", {}).get("ColumnRef", {}).get("fields"))
        read = _KINDS.get(body.get("kind", ""))
        if not fields or read is None or fields[:-1] not in ([], [known_as]):
            continue
        right = body.get("rexpr", {})
        given = right["List"]["items"] if "List" in right else [right]
        values = tuple(_constant(each, parent, fields[-1]) for each in given)
        operator = strings(body.get("name"))[-1]
        if None in values or (read == "IN" and operator != "="):
            continue
        if read == "BETWEEN" and len(values) == 2:
            yield Condition(fields[-1], ">=", values[:1])
            yield Condition(fields[-1], "<=", values[1:])
        else:
            yield Condition(fields[-1], operator, values)


def _any_of(parts: list[Node], parent: Relation, known_as: str) -> Iterator[Condition]:
    """`k = 1 OR k = 2` as `k IN (1, 2)`; nothing of other conditions."""
    each = [list(_conditions([part], parent, known_as)) for part in parts]
    equal = [found[0] for found in each if len(found) == 1 and found[0].operator == "="]
    if len(equal) == len(parts) and len({c.column for c in equal}) == 1:
        yield Condition(equal[0].column, "=", tuple(v for c in equal for v in c.values))


_KINDS = {"AEXPR_OP": "OP", "AEXPR_IN": "IN", "AEXPR_BETWEEN": "BETWEEN"}


def _constant(value: Node, parent: Relation, name: str) -> Any:
    """None of what is computed when the statement runs, as a cast to another type may be."""
    column = (parent.columns or {}).get(name)
    cast = value.get("TypeCast")
    if cast is not None and column is not None:
        return moment(scalar(value)) if read_type(cast["typeName"]) == column.type else None
    return moment(scalar(value))


def _fits(bound: Node, conditions: list[Condition]) -> bool:
    """Whether a partition may have rows for which all conditions hold."""
    if bound.get("strategy") == "l":
        listed = {moment(scalar(each)) for each in bound.get("listdatums", ())}
        return all(c.operator != "=" or listed & set(c.values) for c in conditions)
    low, high = limits(bound)
    return all(any(_holds(c.operator, v, low, high) for v in c.values) for c in conditions)


def _holds(operator: str, value: Any, low: Any, high: Any) -> bool:
    """Whether some x with low <= x < high is `operator` value; None is no limit."""
    above = high is None or not comparable(high, value) or value < high
    below = low is None or not comparable(low, value)
    if operator == "=":
        return above and (below or low <= value)
    if operator == "<":
        return bool(below or low < value)
    if operator == "<=":
        return bool(below or low <= value)
    return above if operator in (">", ">=") else True


def _covered(bounds: list[Node], conditions: list[Condition]) -> bool:
    """Whether the other partitions have every value that the conditions leave, so that the DEFAULT
    one has none."""
    equal = [c for c in conditions if c.operator == "="]
    if equal:
        one = [Condition("", "=", (value,)) for value in equal[0].values]
        return all(any(_fits(bound, [each]) for bound in bounds) for each in one)
    if any(bound.get("strategy") != "r" for bound in bounds):
        return False
    starts = [c.values[0] for c in conditions if c.operator in (">", ">=")]
    ends = [c for c in conditions if c.operator in ("<", "<=")]
    known = [value for bound in bounds for value in limits(bound)]
    values = [*starts, *(c.values[0] for c in ends), *known]
    if not starts or not ends or not all(comparable(values[0], each) for each in values):
        return False
    reached, end = max(starts), min(c.values[0] for c in ends)
    for low, high in sorted(map(limits, bounds)):
        if low <= reached < high:
            reached = high
    return bool(reached > end or (reached == end and all(c.operator == "<" for c in ends)))
