"""What the variables of a PL/pgSQL body may hold, as far as constants go."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from shared.domain.identifiers import literal
from shared.sql import grammar
from shared.sql.body_loops import Loop, datums, expression_tree, loop
from shared.sql.folding import PLACEHOLDER, Lookup, fold
from shared.sql.grammar import Node, SyntaxProblem
from shared.sql.mentions import Mentions
from shared.sql.names import strings


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
        elif (turns := loop(tag, node, nodes)) is not None:
            for at, name in enumerate(turns.names):
                found.setdefault(name, []).extend(row[at] for row in turns.rows)
        elif tag == "PLpgSQL_stmt_fors" or (tag == "PLpgSQL_stmt_execsql" and node.get("into")):
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
    def loops(self) -> list[Loop]:
        """Those over rows that are written out."""
        found = (loop(tag, node, self.nodes) for tag, node, _ in self.nodes)
        return [each for each in found if each is not None]

    @cached_property
    def assigned(self) -> dict[str, list[str | Node]]:
        found = _assignments(self.nodes)
        for name, value in zip(datums(self.nodes) if self.given else (), self.given, strict=False):
            if value is not None:
                found.setdefault(name, []).insert(0, literal(value))
        return found

    def texts(self, expression: str, depth: int = 0) -> list[str]:
        """Every text that the expression may give; empty when that cannot be told."""
        value = expression_tree(expression)
        if value is None:
            return []
        column = value.get("ColumnRef")
        if column is not None:
            return self._held(".".join(strings(column["fields"])), depth)
        found = [fold(value, known) for known in self._lookups(value, depth)]
        texts = [text for text in found if text and text.replace(PLACEHOLDER, "").strip()]
        return texts if len(texts) == len(found) else []

    def _lookups(self, value: Node, depth: int) -> list[Lookup]:
        """How to look variables up: once, or once for each turn of a loop that it names."""
        named = {strings(body.get("fields"))[-1] for body in Mentions(value).columns}
        for each in self.loops:
            names = [name.rpartition(".")[2] for name in each.names]
            if named.intersection(names):
                turns = (dict(zip(names, map(_text, row), strict=True)) for row in each.rows)
                return [self._turn(turn, depth) for turn in turns]
        return [lambda name: self._last(name, depth)]

    def _turn(self, turn: dict[str, str | None], depth: int) -> Lookup:
        def lookup(name: str) -> str | None:
            last = name.rpartition(".")[2]
            return turn[last] if last in turn else self._last(name, depth)

        return lookup

    def _held(self, name: str, depth: int) -> list[str]:
        """All that is ever put into a variable, one assignment after the other."""
        found: list[str] = []
        if name not in self.assigned:
            name = name.rpartition(".")[2]
        for expression in self.assigned.get(name, ()) if depth < _DEPTH else ():
            value = expression_tree(expression) if isinstance(expression, str) else expression
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


def _text(written: str) -> str | None:
    value = expression_tree(written)
    return None if value is None else fold(value)
