"""Variables of a PL/pgSQL body that hold one constant for as long as it runs.

The planner puts such a constant in the place of the variable, in the first runs of a statement in
a session (plancache.c: choose_custom_plan). So nothing is said of a body that has a loop.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from shared.sql.body_loops import expression_tree
from shared.sql.grammar import Node
from shared.sql.types import read_type

CUSTOM_PLANS = 5
"""Runs of a statement in a session that are surely planned for the values of their variables."""
_LOOPS = frozenset(
    f"PLpgSQL_stmt_{kind}"
    for kind in ("loop", "while", "fori", "fors", "forc", "foreach_a", "dynfors")
)
_UNSAFE = re.compile(r"\b((IN)?OUT|VARIADIC)\b|#\s*variable_conflict", re.IGNORECASE)


class Settled(NamedTuple):
    name: str
    """`$1` of an argument without a name."""
    type: str
    """As PL/pgSQL's parser has it: date, int4."""
    value: Node | None
    """What it is given where it is declared, or in its one assignment."""
    number: int
    """Of the argument, from 0, where it is one; -1 otherwise."""


def settled(definition: str, nodes: list[tuple[str, Node, bool]]) -> tuple[Settled, ...]:
    """Of a body, with the statement that makes it; `nodes` are the parts of its tree."""
    tags = {tag for tag, _, _ in nodes}
    if tags & _LOOPS or "PLpgSQL_stmt_call" in tags or _UNSAFE.search(definition):
        return ()
    datums: list[Node] = next((n.get("datums", []) for tag, n, _ in nodes if tag == _FUNCTION), [])
    variables = [each.get("PLpgSQL_var", {}) for each in datums]
    names = Counter(each.get("refname") for each in variables)
    written = set(_written(datums, nodes))
    return tuple(
        found
        for number, each in enumerate(variables)
        if each and number not in written and names[each["refname"]] == 1
        if (found := _settled(number, each, _assigned(number, nodes))) is not None
    )


_FUNCTION = "PLpgSQL_function"


def _settled(number: int, variable: Node, assigned: list[str]) -> Settled | None:
    name, type_ = variable["refname"], variable["datatype"]["PLpgSQL_type"]["typname"]
    default = variable.get("default_val", {}).get("PLpgSQL_expr", {}).get("query")
    given = [*assigned, *([] if default is None else [default])]
    if not given and "lineno" not in variable:
        return Settled(name, type_, None, number)
    value = expression_tree(given[0]) if len(given) == 1 and "lineno" in variable else None
    if value is None or not is_constant(value, type_):
        return None
    return Settled(name, type_, value, -1)


def is_constant(value: Node, type_: str) -> bool:
    """A constant that is read as the type, and not turned into it from another."""
    if "TypeCast" in value:
        cast = value["TypeCast"]
        return read_type(cast["typeName"]).name == type_ and "A_Const" in cast.get("arg", {})
    return "A_Const" in value


def _assigned(number: int, nodes: list[tuple[str, Node, bool]]) -> list[str]:
    texts = [
        node["expr"]["PLpgSQL_expr"]["query"]
        for tag, node, _ in nodes
        if tag == "PLpgSQL_stmt_assign" and node.get("varno", 0) == number
    ]
    return [text.partition(":=" if ":=" in text else "=")[2] for text in texts]


def _written(datums: list[Node], nodes: list[tuple[str, Node, bool]]) -> Iterator[int]:
    """Variables that are written by more than an assignment: INTO, GET DIAGNOSTICS."""
    for each in datums:
        for field in each.get("PLpgSQL_row", {}).get("fields", ()):
            yield field.get("varno", 0)
    for tag, node, _ in nodes:
        if tag == "PLpgSQL_diag_item":
            yield node.get("target", 0)
