"""What a condition says of a column: comparisons with constants, as WHERE or CHECK writes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from shared.sql.context import Context
from shared.sql.grammar import Node
from shared.sql.names import strings
from shared.sql.operations.key_values import key_value
from shared.sql.schema_objects import Relation
from shared.sql.types import read_type


class Condition(NamedTuple):
    column: str
    operator: str
    values: tuple[Any, ...]
    """More than one only of `=`: any of them; and of `<>`: none of them."""


def conjuncts(expression: Node | None) -> Iterator[Node]:
    both = (expression or {}).get("BoolExpr", {})
    if both.get("boolop") == "AND_EXPR":
        for argument in both["args"]:
            yield from conjuncts(argument)
    elif expression:
        yield expression


def conditions(
    ctx: Context, parts: Iterable[Node], parent: Relation, known_as: str
) -> Iterator[Condition]:
    """Of what is understood; `known_as` is the name that the table has there."""
    for part in parts:
        if part.get("BoolExpr", {}).get("boolop") == "OR_EXPR":
            yield from _any_of(ctx, part["BoolExpr"]["args"], parent, known_as)
        elif "A_Expr" in part:
            yield from _comparison(ctx, part["A_Expr"], parent, known_as)


def _comparison(ctx: Context, body: Node, parent: Relation, known_as: str) -> Iterator[Condition]:
    kind, operator = body.get("kind", ""), (strings(body.get("name")) or [""])[-1]
    left, right = body.get("lexpr", {}), body.get("rexpr", {})
    if kind == "AEXPR_OP" and not _column(left) and _column(right) and operator in _TURNED:
        left, right, operator = right, left, _TURNED[operator]
    fields = _column(left)
    if not fields or fields[:-1] not in ([], [known_as]):
        return
    given = _given(kind, operator, right)
    values = tuple(key_value(ctx, each, parent, fields[-1]) for each in given)
    if not values or None in values:
        return
    if kind == "AEXPR_BETWEEN":
        yield Condition(fields[-1], ">=", values[:1])
        yield Condition(fields[-1], "<=", values[1:])
    else:
        yield Condition(fields[-1], operator, values)


_TURNED = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def _column(node: Node) -> list[str]:
    """The name of a column, also where it is read as text: that is how varchar is printed."""
    cast = node.get("TypeCast", {})
    if cast and read_type(cast["typeName"]).name == "text":
        node = cast.get("arg", {})
    return strings(node.get("ColumnRef", {}).get("fields"))


def _given(kind: str, operator: str, right: Node) -> list[Node]:
    """The constants that a column is compared with; none where they say something else."""
    if kind == "AEXPR_OP":
        return [right]
    if kind == "AEXPR_BETWEEN" or (kind == "AEXPR_IN" and operator in ("=", "<>")):
        return list(right.get("List", {}).get("items", ()))
    if (kind, operator) in (("AEXPR_OP_ANY", "="), ("AEXPR_OP_ALL", "<>")):
        array = right.get("TypeCast", {}).get("arg", {}) if "TypeCast" in right else right
        return list(array.get("A_ArrayExpr", {}).get("elements", ()))
    return []


def _any_of(
    ctx: Context, parts: list[Node], parent: Relation, known_as: str
) -> Iterator[Condition]:
    """`k = 1 OR k = 2` as `k IN (1, 2)`; nothing of other conditions."""
    each = [list(conditions(ctx, [part], parent, known_as)) for part in parts]
    equal = [found[0] for found in each if len(found) == 1 and found[0].operator == "="]
    if len(equal) == len(parts) and len({c.column for c in equal}) == 1:
        yield Condition(equal[0].column, "=", tuple(v for c in equal for v in c.values))
