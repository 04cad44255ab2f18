"""Statements and expressions that stand under one PL/pgSQL statement, as SQL to be looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.sql import grammar
from shared.sql.folding import PLACEHOLDER
from shared.sql.grammar import Node, SyntaxProblem


@dataclass(slots=True)
class Part:
    """One statement inside a body."""

    text: str
    line: int
    """Line within the body, from 1."""
    dynamic: bool = False
    """From EXECUTE: names in it may be placeholders."""
    conditional: bool = False
    """Under IF, a loop or an exception handler: it may not run, or may be allowed to fail."""
    _trees: list[Node] | None = field(default=None, repr=False)

    def trees(self) -> list[Node]:
        """What the grammar makes of it, for all who ask. Raises SyntaxProblem."""
        if self._trees is None:
            self._trees = grammar.parse(self.text.encode())
        return self._trees


_STATEMENT, _EXPRESSION = 0, 2


def embedded(tag: str, node: Node, line: int, conditional: bool) -> Iterator[Part]:
    """Statements and expressions that stand directly under one PL/pgSQL statement."""
    if not tag.startswith(("PLpgSQL_stmt_", "PLpgSQL_raise_")):
        return
    for value in node.values():
        if isinstance(value, dict) and "PLpgSQL_expr" in value:
            expression = value["PLpgSQL_expr"]
            mode, text = expression.get("parseMode", _STATEMENT), expression["query"]
            if mode == _STATEMENT:
                yield Part(text, line, False, conditional)
            else:
                for side in _sides(text, mode):
                    yield from computed(side, line, conditional)
    yield from listed(node, line, conditional)


def listed(node: Node, line: int, conditional: bool) -> Iterator[Part]:
    """What USING and RAISE are given."""
    for each in node.get("params", ()):
        yield from computed(each["PLpgSQL_expr"]["query"], line, conditional)


def declared(variable: Node, line: int) -> Iterator[Part]:
    """What a variable begins with, or the query of a cursor."""
    if "default_val" in variable:
        yield from computed(variable["default_val"]["PLpgSQL_expr"]["query"], line)
    if "cursor_explicit_expr" in variable:
        yield Part(variable["cursor_explicit_expr"]["PLpgSQL_expr"]["query"], line)


def computed(text: str, line: int, conditional: bool = False) -> Iterator[Part]:
    """An expression, unless it is too plain to run anything: no call, no cast, no odd operator."""
    if not _PLAIN.fullmatch(text):
        yield Part(f"SELECT {text}", line, False, conditional)


_PLAIN = re.compile(r"""(?:[^\W\d]|[\w\s.,'"+*/<>=$\[\]-]|\|\||:=|:(?!:))*+""")


def dynamic(tag: str, node: Node) -> str:
    """The expression whose text runs: of EXECUTE, OPEN .. FOR EXECUTE, RETURN QUERY EXECUTE."""
    field_ = "query" if tag in _EXECUTING else "dynquery"
    if field_ == "dynquery" and not tag.startswith("PLpgSQL_stmt_"):
        return ""
    return str(node.get(field_, {}).get("PLpgSQL_expr", {}).get("query", ""))


_EXECUTING = ("PLpgSQL_stmt_dynexecute", "PLpgSQL_stmt_dynfors")


def _sides(text: str, mode: int) -> tuple[str, ...]:
    """An expression, or what an assignment `x[i] := expression` computes on either side."""
    if mode == _EXPRESSION:
        return (text,)
    left, found, right = text.partition(":=")
    if not found:
        left, _, right = text.partition("=")
    return (left, right)


def run_parts(texts: list[str], line: int, conditional: bool) -> list[Part]:
    """What EXECUTE runs; none where it does not show what kind of statement that is."""
    parts = [Part(text, line, True, conditional) for text in texts]
    try:
        for part in parts:
            part.trees()
    except SyntaxProblem:
        return [] if PLACEHOLDER in "".join(texts) else parts
    return parts
