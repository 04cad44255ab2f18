"""Variables of a PL/pgSQL body that hold one constant for as long as it runs.

The planner puts such a constant in the place of the variable, in the first runs of a statement in
a session (plancache.c: choose_custom_plan). So nothing is said of a body that has a loop.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

from shared.sql.body_loops import expression_tree
from shared.sql.grammar import Node
from shared.sql.types import read_type

CUSTOM_PLANS = 5
"""Runs of a statement in a session that are surely planned for the values of their variables."""
_NOT_ONCE = frozenset(
    f"PLpgSQL_stmt_{kind}"
    for kind in ("loop", "while", "fori", "fors", "forc", "foreach_a", "dynfors", "call")
)
"""What runs again, and what may write to its arguments."""
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
    datums: list[Node] = []
    assigned: dict[int, list[str]] = {}
    written: set[int] = set()
    for tag, node, _ in nodes:
        if tag in _NOT_ONCE:
            return ()
        if tag == "PLpgSQL_function":
            datums = node.get("datums", [])
        elif tag == "PLpgSQL_stmt_assign":
            text = node["expr"]["PLpgSQL_expr"]["query"]
            right = text.partition(":=" if ":=" in text else "=")[2]
            assigned.setdefault(node.get("varno", 0), []).append(right)
        elif tag == "PLpgSQL_diag_item":
            written.add(node.get("target", 0))
    if _UNSAFE.search(definition):
        return ()
    variables = [(number, d["PLpgSQL_var"]) for number, d in enumerate(datums) if _VAR in d]
    names = Counter([variable.get("refname") for _, variable in variables])
    for each in datums:
        if "PLpgSQL_row" in each:  # INTO
            written.update(f.get("varno", 0) for f in each["PLpgSQL_row"].get("fields", ()))
    found = [
        _settled(number, variable, assigned.get(number, []))
        for number, variable in variables
        if number not in written and names[variable["refname"]] == 1
    ]
    return tuple([each for each in found if each is not None])


_VAR = "PLpgSQL_var"


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
