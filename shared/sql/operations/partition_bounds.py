"""What a partition's bound and the constraints of a table prove of each other. Pure.

Values are compared as the type of the key compares them; of what is not understood nothing is
proved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from shared.sql.context import Context
from shared.sql.grammar import Node
from shared.sql.operations.column_marks import implies_not_null
from shared.sql.operations.key_conditions import Condition, conditions, conjuncts
from shared.sql.operations.key_values import guessed, key_value, ordered
from shared.sql.schema_objects import Relation


class Bound(NamedTuple):
    """What a partition holds of a key of one column: the listed values, or low <= x < high."""

    listed: frozenset[Any] | None = None
    low: Any = None
    high: Any = None
    """None is no limit."""
    understood: bool = True
    """Whether every value of it could be read."""
    null: bool = False
    """NULL is among the listed."""


def bound_of(ctx: Context, parent: Relation, bound: Node) -> Bound:
    """Of a key of one column."""
    key = parent.partition_key or ()
    name = key[0] if len(key) == 1 else ""
    known = name in (parent.columns or ())

    def value(node: Node) -> Any:
        return key_value(ctx, node, parent, name) if known else guessed(node)

    if bound.get("strategy") == "l":
        every = bound.get("listdatums", ())
        given = [each for each in every if not _is_null(each)]
        listed = frozenset(map(value, given))
        return Bound(listed=listed, understood=None not in listed, null=len(given) < len(every))
    ends = [(bound.get(side) or [{}])[0] for side in ("lowerdatums", "upperdatums")]
    low, high = map(value, ends)
    read = all(v is not None or "ColumnRef" in n for v, n in zip((low, high), ends, strict=True))
    return Bound(low=low, high=high, understood=read)


def _is_null(value: Node) -> bool:
    return bool(value.get("A_Const", {}).get("isnull"))


def proves_bound(ctx: Context, parent: Relation, child: Relation, bound: Node) -> bool:
    """Whether validated constraints of `child` already say that its rows fit.

    Knows the forms that people write: `k >= a AND k < b` with k NOT NULL for a range,
    `k = v` or `k IN (..)` for a list.
    """
    return bool(bound) and any(
        _fits(ctx, parent, child, bound, name) for name in _keys(parent, child)
    )


def _keys(parent: Relation, table: Relation) -> Iterable[str]:
    """The key, if it is one column; of a parent that no schema tells of, whatever the CHECKs of
    the table are about."""
    if parent.columns is not None or parent.partition_key:
        key = parent.partition_key or ()
        return key if len(key) == 1 else ()
    every = table.constraints.values()
    return sorted({name for each in every if each.kind == "check" for name in each.columns})


def _fits(ctx: Context, parent: Relation, child: Relation, bound: Node, key: str) -> bool:
    wanted = bound_of(ctx, parent, bound)
    if not wanted.understood or not (wanted.null or _is_not_null(child, key)):
        return False
    facts = [
        each for each in conditions(ctx, _checks(child), parent, child.name) if each.column == key
    ]
    if bound.get("strategy") == "r":
        lower = wanted.low is None or any(_is_from(fact, wanted.low) for fact in facts)
        upper = wanted.high is None or any(_is_below(fact, wanted.high) for fact in facts)
        return lower and upper
    if wanted.listed is not None:
        return any(f.operator == "=" and wanted.listed.issuperset(f.values) for f in facts)
    return False


def excludes_bound(ctx: Context, parent: Relation, tables: Iterable[Relation], bound: Node) -> bool:
    """Whether validated constraints of one of the tables, of which one is the DEFAULT partition,
    say that it has no row for `bound`.

    Knows `NOT (k >= a AND k < b)` and `k < a OR k >= b` for a range; `k <> v`, `k NOT IN (..)` and
    `NOT (k = v)` for a list.
    """
    wanted = bound_of(ctx, parent, bound)
    if not wanted.understood or wanted.null:
        return False
    in_order = bound.get("strategy") == "r"
    return any(
        _leaves_out(wanted, _left(ctx, parent, each, name), in_order=in_order)
        for each in tables
        if each.constraints
        for name in _keys(parent, each)
    )


def _leaves_out(wanted: Bound, left: list[list[Condition]], *, in_order: bool) -> bool:
    if in_order:
        low, high = wanted.low, wanted.high
        return any(
            each and all(_is_below(fact, low) or _is_from(fact, high) for fact in each)
            for each in left
        )
    if wanted.listed is not None:
        apart = {v for each in left for fact in each if fact.operator == "<>" for v in fact.values}
        return wanted.listed <= apart
    return False


def _left(ctx: Context, parent: Relation, table: Relation, column: str) -> list[list[Condition]]:
    """What each validated CHECK of the table leaves to a column, as comparisons. It is the same for
    every parent that no schema tells of, each of which asks it of every table."""
    checks = list(_checks(table))
    known = ctx.left.get((table.key, column))
    if known is not None and parent.columns is None and known[0] == checks:
        return known[1]
    found = [_outside(ctx, part, parent, table.name, column) for part in checks]
    if parent.columns is None:
        ctx.left[(table.key, column)] = (checks, found)
    return found


def meet(one: Bound, other: Bound) -> bool:
    """Whether a row may be for both, as far as the order of their values is known."""
    if one.listed is not None and other.listed is not None:
        return bool(one.listed & other.listed - {None}) or (one.null and other.null)
    if one.listed is not None or other.listed is not None:
        return False
    if not one.understood or not other.understood:
        return False
    return _begins_before(one.low, other.high) and _begins_before(other.low, one.high)


def _begins_before(low: Any, high: Any) -> bool:
    return low is None or high is None or (ordered(low, high) and bool(low < high))


def _is_from(fact: Condition, low: Any) -> bool:
    """Whether a comparison of x says that x >= low."""
    if fact.operator not in (">=", ">", "=") or low is None:
        return False
    return all(v == low or (ordered(v, low) and v > low) for v in fact.values)


def _is_below(fact: Condition, high: Any) -> bool:
    """Whether a comparison of x says that x < high."""
    if high is None or fact.operator not in ("<", "<=", "="):
        return False
    if fact.operator == "<" and fact.values == (high,):
        return True
    return all(ordered(v, high) and v < high for v in fact.values)


_OPPOSITE = {"<": ">=", ">=": "<", "=": "<>", "<>": "=", ">": "<=", "<=": ">"}


def _outside(
    ctx: Context, part: Node, parent: Relation, known_as: str, name: str
) -> list[Condition]:
    """What a condition leaves to a column: comparisons one of which holds; `<>`, which all hold."""

    def of(node: Node) -> list[Condition]:
        return [each for each in conditions(ctx, [node], parent, known_as) if each.column == name]

    body = part.get("BoolExpr", {})
    arguments = body.get("args", ())
    if body.get("boolop") == "NOT_EXPR":
        inner = [of(each) for each in conjuncts(arguments[0])]
        found = [turned for each in inner for fact in each for turned in _opposite(fact)]
        one = len(inner) == 1
    elif body.get("boolop") == "OR_EXPR":
        inner = [of(each) for each in arguments]
        found, one = [each for several in inner for each in several], False
    else:
        return of(part)[:1]
    apart = any(fact.operator == "<>" for fact in found)
    return found if all(inner) and (one or not apart) else []


def _opposite(fact: Condition) -> list[Condition]:
    operator = _OPPOSITE.get(fact.operator, "")
    if fact.operator == "<>":
        return [Condition(fact.column, operator, fact.values)]
    return [Condition(fact.column, operator, (value,)) for value in fact.values]


def _is_not_null(child: Relation, name: str) -> bool:
    column = (child.columns or {}).get(name)
    if column is not None and column.not_null:
        return True
    return any(
        c.valid and c.kind == "check" and implies_not_null(c.expression, name)
        for c in child.constraints.values()
    )


def _checks(child: Relation) -> Iterator[Node]:
    """The conditions that validated CHECK constraints hold every row to."""
    for constraint in child.constraints.values():
        if constraint.kind == "check" and constraint.valid and constraint.enforced:
            yield from conjuncts(constraint.expression)
