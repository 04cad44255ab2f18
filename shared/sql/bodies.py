"""What runs inside a function body or DO block: embedded statements, and the text of EXECUTE.

EXECUTE of text that is put together at run time is folded as far as constants go: the unknown
parts of `format('.. %I', x)` and `'..' || x` become a placeholder name, which shows what kind of
statement it is. What cannot be folded is said to be unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from shared.sql import grammar
from shared.sql.grammar import Node, SyntaxProblem
from shared.sql.names import option, scalar, split_name, strings

PLACEHOLDER = "bluegreen_unknown"


@dataclass(frozen=True, slots=True)
class Part:
    """One statement inside a body."""

    text: str
    line: int
    """Line within the body, from 1."""
    dynamic: bool = False
    """From EXECUTE: names in it may be placeholders."""
    conditional: bool = False
    """Under IF, a loop or an exception handler: it may not run, or may be allowed to fail."""


@dataclass(frozen=True, slots=True)
class Body:
    parts: tuple[Part, ...]
    opaque: tuple[int, ...] = ()
    """Lines of EXECUTE whose text cannot be seen."""
    commits: bool = False
    """Ends transactions itself (COMMIT or ROLLBACK)."""


def read_body(language: str, body: str, definition: str) -> Body:
    """The statements of a body. Raises SyntaxProblem when PostgreSQL would refuse it.

    `definition` is the whole CREATE FUNCTION or DO statement: PL/pgSQL's parser takes no less.
    """
    if language == "plpgsql":
        return _plpgsql(definition)
    if language == "sql":
        data = body.encode()
        parts = [
            Part(data[span.start : span.start + span.length].decode(), _line(data, span.start))
            for span in grammar.split(data)
        ]
        return Body(tuple(parts))
    return Body(())


def _line(data: bytes, offset: int) -> int:
    return data.count(b"\n", 0, offset) + 1


def _plpgsql(definition: str) -> Body:
    parts: list[Part] = []
    opaque: list[int] = []
    commits = False
    for function in grammar.parse_plpgsql(definition.encode()):
        assigned = _assignments(function)
        for tag, node, conditional in _nodes(function):
            line = int(node.get("lineno", 1))
            if tag in ("PLpgSQL_stmt_commit", "PLpgSQL_stmt_rollback"):
                commits = True
            elif tag in ("PLpgSQL_stmt_dynexecute", "PLpgSQL_stmt_dynfors"):
                texts = _folded(node["query"]["PLpgSQL_expr"]["query"], assigned)
                opaque += [line] if not texts else []
                parts += [Part(text, line, True, conditional) for text in texts]
            elif tag == "PLpgSQL_var" and "default_val" in node:
                text = node["default_val"]["PLpgSQL_expr"]["query"]
                parts += [Part(f"SELECT {text}", line)] if "(" in text else []
            else:
                parts += _embedded(tag, node, line, conditional)
    return Body(tuple(parts), tuple(opaque), commits)


def _nodes(tree: Any) -> Iterator[tuple[str, Node, bool]]:
    """(tag, fields, whether it is conditional) of every node, in order."""
    stack: list[tuple[Any, bool]] = [(tree, False)]
    while stack:
        each, conditional = stack.pop()
        if isinstance(each, list):
            stack.extend((item, conditional) for item in reversed(each))
            continue
        for key, value in each.items():
            if not isinstance(value, dict | list):
                continue
            inner = conditional
            if key.startswith("PLpgSQL_") and isinstance(value, dict):
                yield key, value, conditional
                inner = conditional or key in _BRANCHES or "exceptions" in value
            stack.append((value, inner))


_BRANCHES = frozenset(
    f"PLpgSQL_stmt_{kind}"
    for kind in ("if", "case", "loop", "while", "fori", "fors", "forc", "foreach_a", "dynfors")
)


_STATEMENT, _EXPRESSION = 0, 2


def _embedded(tag: str, node: Node, line: int, conditional: bool) -> Iterator[Part]:
    """Statements and expressions that stand directly under one PL/pgSQL statement."""
    if not tag.startswith("PLpgSQL_stmt_"):
        return
    for value in node.values():
        if isinstance(value, dict) and "PLpgSQL_expr" in value:
            expression = value["PLpgSQL_expr"]
            mode, text = expression.get("parseMode", _STATEMENT), expression["query"]
            if mode == _STATEMENT:
                yield Part(text, line, False, conditional)
            elif "(" in text:
                yield Part(f"SELECT {_right_side(text, mode)}", line, False, conditional)


def _right_side(text: str, mode: int) -> str:
    """The expression of an assignment `x := expression`."""
    if mode == _EXPRESSION:
        return text
    _, found, right = text.partition(":=")
    return right if found else text.partition("=")[2]


def _assignments(function: Node) -> dict[str, list[str]]:
    """Variable -> expressions that are ever put into it."""
    found: dict[str, list[str]] = {}
    for tag, node, _ in _nodes(function):
        if tag == "PLpgSQL_stmt_assign":
            name, mark, right = node["expr"]["PLpgSQL_expr"]["query"].partition(":=")
            if not mark:
                name, _, right = node["expr"]["PLpgSQL_expr"]["query"].partition("=")
            found.setdefault(name.strip().lower(), []).append(right)
        elif tag == "PLpgSQL_var" and "default_val" in node:
            text = node["default_val"]["PLpgSQL_expr"]["query"]
            found.setdefault(node.get("refname", ""), []).append(text)
    return found


def _folded(expression: str, assigned: dict[str, list[str]], depth: int = 0) -> list[str]:
    """Every text that the expression may give; empty when that cannot be told."""
    try:
        tree = grammar.parse(f"SELECT {expression}".encode())
        value = tree[0]["stmt"]["SelectStmt"]["targetList"][0]["ResTarget"]["val"]
    except (SyntaxProblem, KeyError, IndexError):
        return []
    column = value.get("ColumnRef")
    if column is not None and depth < 4:
        texts: list[str] = []
        for each in assigned.get(strings(column["fields"])[-1], ()):
            inner = _folded(each, assigned, depth + 1)
            if not inner:
                return []
            texts += inner
        return texts
    text = fold(value)
    return [text] if text is not None and text.replace(PLACEHOLDER, "").strip() else []


def fold(value: Node) -> str | None:
    """The text of a constant expression, with placeholders for what is not constant."""
    constant = scalar(value) if "A_Const" in value or "TypeCast" in value else None
    if constant is not None:
        return str(constant)
    operator = value.get("A_Expr", {})
    if strings(operator.get("name")) == ["||"]:
        left, right = fold(operator["lexpr"]), fold(operator["rexpr"])
        if left is None and right is None:
            return None
        return (left if left is not None else PLACEHOLDER) + (
            right if right is not None else PLACEHOLDER
        )
    call = value.get("FuncCall")
    if call is not None:
        return _fold_call(call)
    return None


def _fold_call(call: Node) -> str | None:
    _, name = split_name(call.get("funcname"))
    arguments = call.get("args", [])
    if name == "format" and arguments:
        template = fold(arguments[0])
        return None if template is None else _fill(template, [fold(a) for a in arguments[1:]])
    if name in ("quote_ident", "quote_literal", "quote_nullable"):
        return None
    if name in ("concat", "concat_ws") and arguments:
        folded = [fold(a) for a in arguments]
        if all(each is None for each in folded):
            return None
        joiner = (folded.pop(0) or " ") if name == "concat_ws" else ""
        return joiner.join(each if each is not None else PLACEHOLDER for each in folded)
    if name in ("upper", "lower", "btrim", "trim") and len(arguments) == 1:
        return fold(arguments[0])
    return None


def _fill(template: str, values: list[str | None]) -> str:
    """A template of format() with its arguments, placeholders for unknown ones."""
    out, at, number = [], 0, 0
    while (sign := template.find("%", at)) >= 0:
        out.append(template[at:sign])
        end = sign + 1
        while end < len(template) and template[end] in "0123456789$-*":
            end += 1
        letter = template[end : end + 1]
        at = end + 1
        if letter == "%":
            out.append("%")
            continue
        given = values[number] if number < len(values) else None
        number += 1
        if letter == "L":
            out.append("'" + (given or "").replace("'", "''") + "'")
        else:
            out.append(given if given is not None else PLACEHOLDER)
    out.append(template[at:])
    return "".join(out)


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
