"""The rows that a loop of a PL/pgSQL body runs over, where they are written out.

FOREACH .. IN ARRAY, FOR .. IN SELECT unnest(..), FOR .. IN VALUES, also as a source that a query
selects from; FOR .. IN 1..9. A WHERE is passed over: a loop may run for fewer rows than it names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.domain.identifiers import literal
from shared.sql import grammar
from shared.sql.folding import PLACEHOLDER, fold
from shared.sql.grammar import Node, SyntaxProblem
from shared.sql.names import scalar, strings

Found = tuple[str, Node, bool]
"""(tag, fields, whether it is conditional) of a part of a body."""
Rows = list[list[str]]
TURNS = 64
"""Most turns of FOR .. IN 1..9 that are followed one by one."""
ROWS = 1000
"""Most rows that are; of a longer list it is said that it cannot be looked into."""


@dataclass(frozen=True, slots=True)
class Loop:
    names: tuple[str, ...]
    """Its variables, or `record.field`."""
    rows: tuple[tuple[str, ...], ...]
    """Of each turn, their values as they would be written in SQL."""


def loop(tag: str, node: Node, nodes: list[Found]) -> Loop | None:
    """None of what is no loop, and of one whose rows are not written out."""
    if tag == "PLpgSQL_stmt_foreach_a":
        names, number = datums(nodes), node.get("varno", 0)
        held = _elements(expression_tree(node["expr"]["PLpgSQL_expr"]["query"]) or {})
        return _made([names[number]] if number < len(names) else [], held)
    if tag == "PLpgSQL_stmt_fori":
        return _made([node.get("var", {}).get("PLpgSQL_var", {}).get("refname", "")], _range(node))
    if tag != "PLpgSQL_stmt_fors":
        return None
    columns, rows = _selected(_select(node["query"]["PLpgSQL_expr"]["query"]))
    target = node.get("var", {})
    if "PLpgSQL_rec" in target:
        record = target["PLpgSQL_rec"].get("refname", "")
        return _made([f"{record}.{column}" for column in columns], rows)
    return _made([f.get("name", "") for f in target.get("PLpgSQL_row", {}).get("fields", ())], rows)


def _made(names: list[str], rows: Rows) -> Loop | None:
    if not rows or not all(names) or any(len(row) != len(names) for row in rows):
        return None
    return Loop(tuple(names), tuple(tuple(row) for row in rows))


def datums(nodes: list[Found]) -> list[str]:
    """The names of a body's variables, as its statements number them."""
    function = next((n for tag, n, _ in nodes if tag == "PLpgSQL_function"), {})
    found = []
    for each in function.get("datums", ()):
        body: Any = next(iter(each.values()), {})
        found.append(str(body.get("refname", "")) if isinstance(body, dict) else "")
    return found


def expression_tree(expression: str) -> Node | None:
    try:
        tree = grammar.parse(f"SELECT {expression}".encode())
        found: Node = tree[0]["stmt"]["SelectStmt"]["targetList"][0]["ResTarget"]["val"]
    except (SyntaxProblem, KeyError, IndexError):
        return None
    return found


def _range(node: Node) -> Rows:
    """FOR i IN 1..9, also REVERSE and BY."""
    bounds = []
    for name in ("lower", "upper", "step"):
        text = node.get(name, {}).get("PLpgSQL_expr", {}).get("query", "1")
        value = scalar(expression_tree(text) or {})
        if not isinstance(value, int) or isinstance(value, bool):
            return []
        bounds.append(value)
    first, last, step = bounds
    step = -step if "reverse" in node else step
    if step == 0:
        return []
    turns = range(first, last + (1 if step > 0 else -1), step)
    return [[str(turn)] for turn in turns] if len(turns) <= TURNS else []


def _select(query: str) -> Node:
    try:
        found: Node = grammar.parse(query.encode())[0]["stmt"].get("SelectStmt", {})
    except (SyntaxProblem, IndexError):
        return {}
    return found


def _selected(select: Node) -> tuple[list[str], Rows]:
    """(columns, rows) of a query whose rows are written out."""
    if "valuesLists" in select:
        return _values(select)
    targets = [each["ResTarget"] for each in select.get("targetList", ())]
    sources = select.get("fromClause", ())
    if not sources and len(targets) == 1:
        rows = _unnested(targets[0].get("val", {}))
        return [targets[0].get("name", "unnest")], rows
    columns, rows = _source(sources[0]) if len(sources) == 1 else ([], [])
    names: list[str] = []
    made: Rows = [[] for _ in rows]
    for target in targets if rows else ():
        value = target.get("val", {})
        field = strings(value.get("ColumnRef", {}).get("fields"))[-1:]
        if field == ["*"]:
            names += columns
            made = [[*found, *row] for found, row in zip(made, rows, strict=True)]
            continue
        names.append(target.get("name", field[0] if field else "?column?"))
        computed = [_computed(value, columns, row) for row in rows]
        made = [[*found, text] for found, text in zip(made, computed, strict=True) if text]
    return (names, made) if len(made) == len(rows) else ([], [])


def _computed(value: Node, columns: list[str], row: list[str]) -> str:
    """What a column or an expression over a row is; empty when that cannot be told."""
    known = {
        name: fold(expression_tree(text) or {}) for name, text in zip(columns, row, strict=True)
    }
    text = fold(value, lambda name: known.get(name.rpartition(".")[2]))
    return "" if text is None or PLACEHOLDER in text else literal(text)


def _source(item: Node) -> tuple[list[str], Rows]:
    """(VALUES ..) AS v (a, b), unnest(ARRAY[..]) AS a."""
    inner = item.get("RangeSubselect") or item.get("RangeFunction") or {}
    alias = inner.get("alias", {})
    named = strings(alias.get("colnames"))
    if "subquery" in inner:
        columns, rows = _selected(inner["subquery"].get("SelectStmt", {}))
        return named + columns[len(named) :], rows
    functions = inner.get("functions", ())
    if len(functions) != 1 or inner.get("ordinality"):
        return [], []
    rows = _unnested(functions[0]["List"]["items"][0])
    return named or [alias.get("aliasname", "unnest")], rows


def _values(select: Node) -> tuple[list[str], Rows]:
    lists = select["valuesLists"]
    rows = [_literals(each["List"]["items"]) for each in lists] if len(lists) <= ROWS else []
    if not rows or not all(rows):
        return [], []
    return [f"column{number + 1}" for number in range(len(rows[0]))], rows


def _unnested(value: Node) -> Rows:
    """Of unnest(..) over an array that is written out."""
    call = value.get("FuncCall", {})
    arguments = call.get("args", ())
    single = strings(call.get("funcname"))[-1:] == ["unnest"] and len(arguments) == 1
    return _elements(arguments[0]) if single else []


def _elements(array: Node) -> Rows:
    """Of ARRAY['a', 'b'] and '{a,b}', also with a cast."""
    array = array.get("TypeCast", {}).get("arg", array)
    elements = array.get("A_ArrayExpr", {}).get("elements", ())
    if elements:
        return [[each] for each in _literals(elements)]
    text = scalar(array) if "A_Const" in array else None
    if not isinstance(text, str) or not (text.startswith("{") and text.endswith("}")):
        return []
    found = [[literal(e.strip().strip('"'))] for e in text[1:-1].split(",") if e.strip()]
    return found if len(found) <= ROWS else []


def _literals(items: list[Node]) -> list[str]:
    """Constants as they are written; none when one of them is no constant."""
    if len(items) > ROWS:
        return []
    values = [scalar(each.get("TypeCast", {}).get("arg", each)) for each in items]
    known = all(type(value) in (str, int) for value in values)
    return [literal(str(value)) for value in values] if known else []
