"""What a partition's bound and the constraints of a table prove of each other. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from shared.sql.grammar import Node
from shared.sql.names import scalar, strings
from shared.sql.operations.column_marks import implies_not_null
from shared.sql.schema_objects import Relation


def proves_bound(parent: Relation, child: Relation, bound: Node) -> bool:
    """Whether validated constraints of `child` already say that its rows fit.

    Knows the forms that people write: `k >= a AND k < b` with k NOT NULL for a range,
    `k = v` or `k IN (..)` for a list.
    """
    key = parent.partition_key
    if not key or len(key) != 1 or not bound:
        return False
    name = key[0]
    facts = list(_facts(child, name))
    not_null = _is_not_null(child, name)
    if bound.get("strategy") == "r":
        low, high = limits(bound)
        lower = low is None or any(_is_from(fact, low) for fact in facts)
        upper = high is None or any(_is_below(fact, high) for fact in facts)
        return not_null and lower and upper
    if bound.get("strategy") == "l":
        wanted = {moment(scalar(v)) for v in bound.get("listdatums", ())}
        allowed = {value for operator, value in facts if operator == "="}
        return bool(allowed) and allowed <= wanted and not_null
    return False


def excludes_bound(parent: Relation, default: Relation, bound: Node) -> bool:
    """Whether validated constraints of the DEFAULT partition say that it has no row for `bound`.

    Knows `NOT (k >= a AND k < b)` and `k < a OR k >= b` for a range; `k <> v`, `k NOT IN (..)` and
    `NOT (k = v)` for a list.
    """
    key = parent.partition_key
    if not key or len(key) != 1:
        return False
    excluded = [_outside(part, key[0]) for part in _checks(default)]
    if bound.get("strategy") == "r":
        low, high = limits(bound)
        return any(
            each and all(_is_below(fact, low) or _is_from(fact, high) for fact in each)
            for each in excluded
        )
    if bound.get("strategy") == "l":
        values = {moment(scalar(v)) for v in bound.get("listdatums", ())}
        return values <= {
            value for each in excluded for operator, value in each if operator == "<>"
        }
    return False


def comparable(one: Any, other: Any) -> bool:
    """Whether their order is that of their values: numbers, and moments as `moment` writes them."""
    if isinstance(one, str) and isinstance(other, str):
        return one.endswith("+00:00") and other.endswith("+00:00")
    return type(one) is type(other) is int


def _is_from(fact: tuple[str, Any], low: Any) -> bool:
    """Whether `x operator value` says that x >= low."""
    operator, value = fact
    if operator not in (">=", ">", "=") or low is None:
        return False
    return bool(value == low or (comparable(value, low) and value > low))


def _is_below(fact: tuple[str, Any], high: Any) -> bool:
    """Whether `x operator value` says that x < high."""
    operator, value = fact
    if high is None or operator not in ("<", "<=", "="):
        return False
    if operator == "<" and value == high:
        return True
    return bool(comparable(value, high) and value < high)


_OPPOSITE = {"<": ">=", ">=": "<", "=": "<>", "<>": "=", ">": "<=", "<=": ">"}


def _outside(part: Node, name: str) -> list[tuple[str, Any]]:
    """What a condition leaves to a column: comparisons one of which holds; `<>`, which all hold."""
    body = part.get("BoolExpr", {})
    arguments = body.get("args", ())
    if body.get("boolop") == "NOT_EXPR":
        inner = [list(_comparison(each, name)) for each in conjuncts(arguments[0])]
        found = [(_OPPOSITE.get(operator, ""), value) for each in inner for operator, value in each]
        one = len(inner) == 1
    elif body.get("boolop") == "OR_EXPR":
        inner = [list(_comparison(each, name)) for each in arguments]
        found, one = [each for several in inner for each in several], False
    else:
        return list(_comparison(part, name))
    apart = any(operator == "<>" for operator, _ in found)
    return found if all(inner) and (one or not apart) else []


def _is_not_null(child: Relation, name: str) -> bool:
    column = (child.columns or {}).get(name)
    if column is not None and column.not_null:
        return True
    return any(
        c.valid and c.kind == "check" and implies_not_null(c.expression, name)
        for c in child.constraints.values()
    )


def limits(bound: Node) -> tuple[Any, Any]:
    """(low, high); None for MINVALUE and MAXVALUE."""
    low = bound.get("lowerdatums") or [{}]
    high = bound.get("upperdatums") or [{}]
    return moment(scalar(low[0])), moment(scalar(high[0]))


def moment(value: Any) -> Any:
    """Dates and times in one form, so that `2026-01-01` and `2026-01-01 00:00:00` are equal."""
    if not isinstance(value, str):
        return value
    try:
        found = datetime.fromisoformat(value.strip())
    except ValueError:
        return value
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    return found.astimezone(UTC).isoformat()


def _facts(child: Relation, name: str) -> Iterator[tuple[str, Any]]:
    """(operator, constant) pairs that validated CHECK constraints promise about a column."""
    for part in _checks(child):
        yield from _comparison(part, name)


def _checks(child: Relation) -> Iterator[Node]:
    """The conditions that validated CHECK constraints hold every row to."""
    for constraint in child.constraints.values():
        if constraint.kind == "check" and constraint.valid and constraint.enforced:
            yield from conjuncts(constraint.expression)


def conjuncts(expression: Node | None) -> Iterator[Node]:
    both = (expression or {}).get("BoolExpr", {})
    if both.get("boolop") == "AND_EXPR":
        for argument in both["args"]:
            yield from conjuncts(argument)
    elif expression:
        yield expression


def _comparison(part: Node, name: str) -> Iterator[tuple[str, Any]]:
    body = part.get("A_Expr", {})
    left = body.get("lexpr", {}).get("ColumnRef")
    if not left or strings(left["fields"])[-1] != name:
        return
    right = body.get("rexpr", {})
    values = right["List"]["items"] if "List" in right else [right]
    operator = strings(body.get("name"))[-1]
    for value in values:
        yield operator, moment(scalar(value))
