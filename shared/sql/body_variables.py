"""What the variables of a PL/pgSQL body may hold, as far as constants go."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from shared.domain.identifiers import literal
from shared.sql import grammar
from shared.sql.folding import PLACEHOLDER, Lookup, fold
from shared.sql.grammar import Node, SyntaxProblem
from shared.sql.mentions import Mentions
from shared.sql.names import scalar, strings

_LOOPS = frozenset({"PLpgSQL_stmt_foreach_a", "PLpgSQL_stmt_fors"})


def _looped(tag: str, node: Node, nodes: list[tuple[str, Node, bool]]) -> tuple[str, list[str]]:
    """(variable, expressions of the elements) of a loop over an array that is written out:
    FOREACH .. IN ARRAY ARRAY[..], FOR .. IN SELECT unnest(ARRAY[..])."""
    if tag == "PLpgSQL_stmt_foreach_a":
        names, number = _datums(nodes), node.get("varno", 0)
        name = names[number] if number < len(names) else ""
        array = _bare(_tree(node["expr"]["PLpgSQL_expr"]["query"]) or {})
    else:
        fields = node.get("var", {}).get("PLpgSQL_row", {}).get("fields", ())
        name = fields[0].get("name", "") if len(fields) == 1 else ""
        array = _unnested(node["query"]["PLpgSQL_expr"]["query"])
    elements = array.get("A_ArrayExpr", {}).get("elements", ())
    values = [scalar(each) for each in elements] or _written(array)
    if not name or not all(isinstance(value, str) for value in values):
        return "", []
    return name, [literal(value) for value in values]


def _bare(array: Node) -> Node:
    """Without its cast: ARRAY['a', 'b']::regclass[]."""
    found: Node = array.get("TypeCast", {}).get("arg", array)
    return found


def _written(array: Node) -> list[str]:
    """The elements of an array that is one text: '{a,b}'."""
    text = scalar(array) if "A_Const" in array else None
    if not isinstance(text, str) or not (text.startswith("{") and text.endswith("}")):
        return []
    return [each.strip().strip('"') for each in text[1:-1].split(",") if each.strip()]


def _unnested(query: str) -> Node:
    """The argument of `SELECT unnest(..)` when that is the whole query."""
    value = _tree(query.strip()[len("SELECT") :]) if query.strip()[:6].upper() == "SELECT" else None
    call = (value or {}).get("FuncCall", {})
    arguments = call.get("args", ())
    single = strings(call.get("funcname"))[-1:] == ["unnest"] and len(arguments) == 1
    return _bare(arguments[0]) if single else {}


def _datums(nodes: list[tuple[str, Node, bool]]) -> list[str]:
    """The names of a body's variables, as its statements number them."""
    function = next((n for tag, n, _ in nodes if tag == "PLpgSQL_function"), {})
    found = []
    for each in function.get("datums", ()):
        body: Any = next(iter(each.values()), {})
        found.append(str(body.get("refname", "")) if isinstance(body, dict) else "")
    return found


def _selected(tag: str, node: Node) -> list[tuple[str, Node]]:
    """(variable, or `record.field`; expression) of FOR .. IN SELECT and of SELECT .. INTO."""
    loop = tag == "PLpgSQL_stmt_fors"
    target = node.get("var" if loop else "target", {})
    query = node["query" if loop else "sqlstmt"]["PLpgSQL_expr"]["query"]
    try:
        select = grammar.parse(query.encode())[0]["stmt"].get("SelectStmt", {})
    except (SyntaxProblem, IndexError):
        return []
    given = [each["ResTarget"] for each in select.get("targetList", ())]
    if "PLpgSQL_rec" in target:
        record = target["PLpgSQL_rec"].get("refname", "")
        names = [f"{record}.{each.get('name', '')}" for each in given]
    else:
        names = [each.get("name", "") for each in target.get("PLpgSQL_row", {}).get("fields", ())]
    return [(name, each.get("val", {})) for name, each in zip(names, given, strict=False)]


def _assignments(nodes: list[tuple[str, Node, bool]]) -> dict[str, list[str | Node]]:
    """Variable -> expressions that are ever put into it."""
    found: dict[str, list[str | Node]] = {}
    for tag, node, _ in nodes:
        if tag == "PLpgSQL_stmt_assign":
            name, mark, right = node["expr"]["PLpgSQL_expr"]["query"].partition(":=")
            if not mark:
                name, _, right = node["expr"]["PLpgSQL_expr"]["query"].partition("=")
            found.setdefault(name.strip().lower(), []).append(right)
        elif tag == "PLpgSQL_var" and "default_val" in node:
            text = node["default_val"]["PLpgSQL_expr"]["query"]
            found.setdefault(node.get("refname", ""), []).insert(0, text)
        elif tag in _LOOPS:
            name, values = _looped(tag, node, nodes)
            found.setdefault(name, []).extend(values)
            if not values and tag == "PLpgSQL_stmt_fors":
                for name, value in _selected(tag, node):
                    found.setdefault(name, []).append(value)
        elif tag == "PLpgSQL_stmt_execsql" and node.get("into"):
            for name, value in _selected(tag, node):
                found.setdefault(name, []).append(value)
    return found


@dataclass(frozen=True)
class Values:
    """What the variables of a body may hold, as far as constants go."""

    nodes: list[tuple[str, Node, bool]]
    given: tuple[str | None, ...] = ()
    """What the routine was called with, as far as that is constant."""

    @cached_property
    def looped(self) -> list[str]:
        """Variables of loops over an array that is written out."""
        found = [_looped(tag, node, self.nodes) for tag, node, _ in self.nodes if tag in _LOOPS]
        return [name for name, values in found if values]

    @cached_property
    def assigned(self) -> dict[str, list[str | Node]]:
        found = _assignments(self.nodes)
        for name, value in zip(_datums(self.nodes) if self.given else (), self.given, strict=False):
            if value is not None:
                found.setdefault(name, []).insert(0, literal(value))
        return found

    def texts(self, expression: str, depth: int = 0) -> list[str]:
        """Every text that the expression may give; empty when that cannot be told."""
        value = _tree(expression)
        if value is None:
            return []
        column = value.get("ColumnRef")
        if column is not None:
            return self._held(".".join(strings(column["fields"])), depth)
        found = [fold(value, known) for known in self._lookups(value, depth)]
        texts = [text for text in found if text and text.replace(PLACEHOLDER, "").strip()]
        return texts if len(texts) == len(found) else []

    def _lookups(self, value: Node, depth: int) -> list[Lookup]:
        """How to look variables up: once, or once for each value of a FOREACH that it names."""
        named = {strings(body.get("fields"))[-1] for body in Mentions(value).columns}
        looped = next((name for name in self.looped if name in named), "")
        if not looped:
            return [lambda name: self._last(name, depth)]

        def lookup(held: str) -> Lookup:
            return lambda name: (
                held if name.rpartition(".")[2] == looped else self._last(name, depth)
            )

        return [lookup(held) for held in self._held(looped, depth)]

    def _held(self, name: str, depth: int) -> list[str]:
        """All that is ever put into a variable, one assignment after the other."""
        found: list[str] = []
        if name not in self.assigned:
            name = name.rpartition(".")[2]
        for expression in self.assigned.get(name, ()) if depth < _DEPTH else ():
            value = _tree(expression) if isinstance(expression, str) else expression
            text = None if value is None else fold(value, self._lookup(name, found, depth))
            if value is not None and "ColumnRef" in value:
                inner = self._held(".".join(strings(value["ColumnRef"]["fields"])), depth + 1)
                found += inner
                if not inner:
                    return []
            elif text is not None:
                found.append(text)
            else:
                return []
        return found

    def _lookup(self, name: str, found: list[str], depth: int) -> Lookup:
        """Variables as they are just before an assignment to `name`, which held `found` so far."""
        before = found[-1] if found else None
        return lambda other: before if other == name else self._last(other, depth + 1)

    def _last(self, name: str, depth: int) -> str | None:
        held = self._held(name, depth + 1)
        return held[-1] if held else None


_DEPTH = 4


def _tree(expression: str) -> Node | None:
    try:
        tree = grammar.parse(f"SELECT {expression}".encode())
        found: Node = tree[0]["stmt"]["SelectStmt"]["targetList"][0]["ResTarget"]["val"]
    except (SyntaxProblem, KeyError, IndexError):
        return None
    return found
