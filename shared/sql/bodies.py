"""What runs inside a function body or DO block: embedded statements, and the text of EXECUTE.

EXECUTE of text that is put together at run time is folded as far as constants go: the unknown
parts of `format('.. %I', x)` and `'..' || x` become a placeholder name, which shows what kind of
statement it is. What cannot be folded is said to be unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from shared.sql import grammar
from shared.sql.body_constants import Settled, settled
from shared.sql.body_parts import (
    Part,
    computed,
    declared,
    dynamic,
    embedded,
    listed,
    run_parts,
)
from shared.sql.body_variables import Values
from shared.sql.folding import hides
from shared.sql.grammar import Node, SyntaxProblem
from shared.sql.names import option, scalar
from shared.sql.trigger_branches import prune

KEPT_CHARACTERS = 16_384
"""Of body and definition; a larger one is read each time."""


@dataclass(frozen=True, slots=True)
class Body:
    parts: tuple[Part, ...]
    opaque: tuple[int, ...] = ()
    """Lines of EXECUTE whose text cannot be seen."""
    commits: bool = False
    """Ends transactions itself (COMMIT or ROLLBACK)."""
    hidden: tuple[int, ...] = ()
    """Those of `opaque` whose text is put together by functions that hide what it says."""
    settled: tuple[Settled, ...] = ()
    """Variables that hold one constant."""


def read_body(
    language: str,
    body: str,
    definition: str,
    event: str = "",
    given: tuple[str | None, ...] = (),
) -> Body:
    """The statements of a body. Raises SyntaxProblem when PostgreSQL would refuse it.

    `definition` is the whole CREATE FUNCTION or DO statement: PL/pgSQL's parser takes no less.
    `event`: what fires it, if it is a trigger's function; branches for others are left out.
    `given`: the constants that the routine is called with.

    Nobody may change what it gives: a body is read for each statement that runs it or fires it, so
    the last ones are given again, unless they are so large that a worker would grow by them.
    """
    read = _kept if len(body) + len(definition) <= KEPT_CHARACTERS else _read
    return read(language, body, definition, event, given)


def _read(
    language: str, body: str, definition: str, event: str, given: tuple[str | None, ...]
) -> Body:
    if language == "plpgsql":
        return _plpgsql(definition, event, given)
    if language == "sql" and not body and definition:
        node = next(iter(grammar.parse(definition.encode())[0]["stmt"].values()))
        return Body((Part(definition, 1, _trees=atomic_statements(node)),))
    if language == "sql":
        data = body.encode()
        parts = [
            Part(data[span.start : span.start + span.length].decode(), _line(data, span.start))
            for span in grammar.split(data)
        ]
        return Body(tuple(parts))
    return Body(())


def atomic_statements(node: Node) -> list[Node]:
    """What a body that is written as SQL holds, between BEGIN ATOMIC and END or after RETURN, in
    the form that the grammar gives to a file; `node` is the tree of CREATE FUNCTION."""
    body = node.get("sql_body", {})
    found: list[Node] = []
    for each in body.get("List", {}).get("items", [body] if body else []):
        found += each.get("List", {}).get("items", [each])
    return [{"stmt": _returned(each)} for each in found]


def _returned(statement: Node) -> Node:
    """RETURN x gives what SELECT x does."""
    if "ReturnStmt" not in statement:
        return statement
    value = statement["ReturnStmt"].get("returnval", {})
    return {"SelectStmt": {"targetList": [{"ResTarget": {"val": value}}]}}


_kept = lru_cache(maxsize=32)(_read)


def _line(data: bytes, offset: int) -> int:
    return data.count(b"\n", 0, offset) + 1


def _plpgsql(definition: str, event: str, given: tuple[str | None, ...]) -> Body:
    parts: list[Part] = []
    opaque: list[int] = []
    hidden: list[int] = []
    commits = False
    constant: tuple[Settled, ...] = ()
    try:
        functions = grammar.parse_plpgsql(definition.encode())
    except SyntaxProblem as problem:
        if not grammar.is_refusal(problem):
            raise
        return Body((), (1,))
    for function in functions:
        if event:
            prune(function, event)
        nodes = list(_nodes(function))
        values = Values(nodes, given)
        constant = () if event else settled(definition, nodes)  # a trigger runs for many rows
        for tag, node, conditional in nodes:
            line = int(node.get("lineno", 1))
            if tag in ("PLpgSQL_stmt_commit", "PLpgSQL_stmt_rollback"):
                commits = True
            elif expression := dynamic(tag, node):
                parts += computed(expression, line, conditional)
                parts += listed(node, line, conditional)
                if run := run_parts(values.texts(expression), line, conditional):
                    parts += run
                else:
                    opaque.append(line)
                    hidden += [line] if hides(definition) else []
            elif tag == "PLpgSQL_var":
                parts += declared(node, line)
            else:
                parts += embedded(tag, node, line, conditional)
    return Body(tuple(parts), tuple(opaque), commits, tuple(hidden), constant)


def _nodes(tree: Any) -> Iterator[tuple[str, Node, bool]]:
    """(tag, fields, whether it is conditional) of every node, in order."""
    stack: list[tuple[Any, bool]] = [(tree, False)]
    while stack:
        each, conditional = stack.pop()
        if type(each) is list:
            stack.extend([(item, conditional) for item in reversed(each)])
            continue
        for key, value in each.items():
            if type(value) is dict:
                if key not in _LEAVES:
                    inner = conditional
                    if key.startswith("PLpgSQL_"):
                        yield key, value, conditional
                        inner = conditional or key in _BRANCHES or "exceptions" in value
                    stack.append((value, inner))
            elif type(value) is list:
                if key == "datums":
                    value = [each for each in value if not _GIVEN.isdisjoint(each.get(_VAR, ()))]
                stack.append((value, conditional))


_VAR = "PLpgSQL_var"
_GIVEN = frozenset({"default_val", "cursor_explicit_expr"})
"""A trigger's function has twenty variables: nobody asks for those without a default or a query."""
_LEAVES = frozenset({"PLpgSQL_type", "PLpgSQL_expr"})
"""Nothing that anybody asks for stands below them."""
_BRANCHES = frozenset(
    f"PLpgSQL_stmt_{kind}"
    for kind in ("if", "case", "loop", "while", "fori", "fors", "forc", "foreach_a", "dynfors")
)


def routine_source(node: Node) -> tuple[str, str | None]:
    """(language, body) of a CREATE FUNCTION, CREATE PROCEDURE or DO tree; sql for BEGIN ATOMIC."""
    options = node.get("options") or node.get("args")
    language = str(scalar(option(options, "language")) or "")
    text = option(options, "as")
    if isinstance(text, dict) and "List" in text:
        items = text["List"]["items"]
        return language, str(scalar(items[0])) if items else None
    if text is not None:
        return language or "plpgsql", str(scalar(text))
    return language or "sql", None
