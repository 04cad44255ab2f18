"""The names that PostgreSQL chooses for what a statement leaves without one. Pure.

Source: makeObjectName and ChooseIndexColumnNames (indexcmds.c), FigureColname (parse_target.c).
"""

from __future__ import annotations

from collections.abc import Iterable

from shared.sql.grammar import Node
from shared.sql.names import strings

MOST_BYTES = 63


def chosen(table: str, columns: Iterable[str], ending: str) -> str:
    """`table_columns_ending`; what is too long is cut, the longer of the two parts first."""
    first, second = table.encode(), "_".join(columns).encode()
    room = MOST_BYTES - len(ending) - 1 - bool(second)
    one, two = len(first), len(second)
    while one + two > room:
        if one > two:
            one -= 1
        else:
            two -= 1
    parts = [first[:one].decode(errors="ignore"), second[:two].decode(errors="ignore"), ending]
    return "_".join(part for part in parts if part)


def key_names(elements: Iterable[Node]) -> tuple[str, ...]:
    """Of IndexElems: the columns that the index itself has."""
    found: list[str] = []
    for element in elements:
        name = base = element.get("name") or figured(element.get("expr", {})) or "expr"
        number = 0
        while name in found:
            number += 1
            name = f"{base}{number}"
        found.append(name)
    return tuple(found)


def figured(expression: Node) -> str:
    """The name that an expression lends its column; empty where it lends none."""
    return _figured(expression)[0]


_FIXED = {"A_ArrayExpr": "array", "RowExpr": "row", "CoalesceExpr": "coalesce"}


def _figured(node: Node) -> tuple[str, bool]:
    """(name of an expression or nothing, whether it is more than that of a type)."""
    tag = next(iter(node), "")
    body: Node = node.get(tag, {})
    if tag in ("ColumnRef", "FuncCall"):
        return strings(body.get("fields") or body.get("funcname"))[-1], True
    if tag == "A_Indirection":
        fields = [each for each in body.get("indirection", ()) if "String" in each]
        return (strings(fields)[-1], True) if fields else _figured(body.get("arg", {}))
    if tag == "CollateClause":
        return _figured(body.get("arg", {}))
    if tag in ("TypeCast", "CaseExpr"):
        inner = _figured(body.get("arg" if tag == "TypeCast" else "defresult", {}))
        named = strings(body["typeName"].get("names"))[-1] if tag == "TypeCast" else "case"
        return inner if inner[1] else (named, False)
    if tag == "A_Expr" and body.get("kind") == "AEXPR_NULLIF":
        return "nullif", True
    if tag == "MinMaxExpr":
        return ("greatest" if body.get("op") == "IS_GREATEST" else "least"), True
    if tag == "SQLValueFunction":
        return body["op"].removeprefix("SVFOP_").removesuffix("_N").lower(), True
    return _FIXED.get(tag, ""), tag in _FIXED
