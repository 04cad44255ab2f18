"""PostgreSQL's own parser (libpg_query, the build that postgast ships) as three pure functions.

Trees are plain dictionaries: `{"AlterTableStmt": {"relation": {...}, "cmds": [...]}}`. Fields that
hold zero, false or nothing are left out; enumerations are their names; every `location` is a byte
offset into the UTF-8 text. The package `postgast` itself is not imported: its protobuf classes
take ten times as long to import as this takes to answer.

Source: pg_query.h of libpg_query 18; the JSON form of `pg_query_parse`.
"""

from __future__ import annotations

import ctypes
import json
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import orjson

from shared.sql.plain_types import REFUSALS, with_plain_types

Node: TypeAlias = dict[str, Any]


class SyntaxProblem(Exception):
    """The grammar does not accept the text. `offset` is a byte offset, None where unknown."""

    def __init__(self, message: str, offset: int | None) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


class Span(NamedTuple):
    """A statement's bytes, without the blanks and comments before it and without its `;`."""

    start: int
    length: int


class _Error(ctypes.Structure):
    _fields_ = (
        ("message", ctypes.c_char_p),
        ("funcname", ctypes.c_char_p),
        ("filename", ctypes.c_char_p),
        ("lineno", ctypes.c_int),
        ("cursorpos", ctypes.c_int),
        ("context", ctypes.c_char_p),
    )


class _Parsed(ctypes.Structure):
    _fields_ = (
        ("tree", ctypes.c_char_p),
        ("stderr_buffer", ctypes.c_char_p),
        ("error", ctypes.POINTER(_Error)),
    )


class _Plpgsql(ctypes.Structure):
    _fields_ = (("tree", ctypes.c_char_p), ("error", ctypes.POINTER(_Error)))


class _Piece(ctypes.Structure):
    _fields_ = (("start", ctypes.c_int), ("length", ctypes.c_int))


class _Pieces(ctypes.Structure):
    _fields_ = (
        ("pieces", ctypes.POINTER(ctypes.POINTER(_Piece))),
        ("count", ctypes.c_int),
        ("stderr_buffer", ctypes.c_char_p),
        ("error", ctypes.POINTER(_Error)),
    )


@cache
def _library() -> Any:
    spec = find_spec("postgast")
    assert spec is not None, "postgast is a declared dependency"
    assert spec.origin is not None
    folder = Path(spec.origin).parent
    path = next(p for p in folder.iterdir() if p.stem == "libpg_query")
    library = ctypes.CDLL(str(path))
    for name, result in (
        ("parse", _Parsed),
        ("parse_plpgsql", _Plpgsql),
        ("split_with_parser", _Pieces),
    ):
        function = getattr(library, f"pg_query_{name}")
        function.argtypes, function.restype = [ctypes.c_char_p], result
    for name, result in (
        ("parse_result", _Parsed),
        ("plpgsql_parse_result", _Plpgsql),
        ("split_result", _Pieces),
    ):
        function = getattr(library, f"pg_query_free_{name}")
        function.argtypes, function.restype = [result], None
    return library


def parse(text: bytes) -> list[Node]:
    """Trees of all statements: `[{"stmt": node, "stmt_location": .., "stmt_len": ..}, ..]`.

    Raises SyntaxProblem for the first statement that the grammar refuses.
    """
    library = _library()
    result = library.pg_query_parse(text)
    try:
        _check(result.error, text)
        tree = _decoded(result.tree)
    except RecursionError:
        raise SyntaxProblem("the statement is nested too deeply to be read", None) from None
    finally:
        library.pg_query_free_parse_result(result)
    found: list[Node] = tree["stmts"]
    return found


def _decoded(tree: bytes) -> Any:
    """A tree from its JSON: by the quick decoder, and what that one refuses (bytes that are no
    UTF-8, a thousand levels) by the patient one. Raises RecursionError."""
    try:
        return orjson.loads(tree)
    except orjson.JSONDecodeError:
        return json.loads(tree)


def split(text: bytes) -> list[Span]:
    """Where each statement is. Raises SyntaxProblem as `parse` does, in a sixth of the time."""
    library = _library()
    result = library.pg_query_split_with_parser(text)
    try:
        _check(result.error, text)
        spans = [
            Span(result.pieces[i].contents.start, result.pieces[i].contents.length)
            for i in range(result.count)
        ]
    finally:
        library.pg_query_free_split_result(result)
    return spans


_EMPTY_DATUM = re.compile(rb"\{\}(?<=[\[,]\{\})\}(?=[,\]])")
"""libpg_query closes the variables of trigger functions (tg_op, tg_tag, ..) once too often. What
stands before it is looked at last: a pattern that begins with a text is found much faster."""


def parse_plpgsql(text: bytes) -> list[Node]:
    """Trees of the bodies in CREATE FUNCTION and DO statements of language plpgsql.

    Embedded statements are text (`PLpgSQL_expr.query`). Raises SyntaxProblem.
    """
    try:
        return _plpgsql(text)
    except SyntaxProblem as problem:
        if not is_refusal(problem):
            raise
    return _plpgsql(with_plain_types(text, parse(text)[0]["stmt"]))


def is_refusal(problem: SyntaxProblem) -> bool:
    """Whether libpg_query gave up on what a server may well read."""
    return any(each in problem.message for each in REFUSALS)


def _plpgsql(text: bytes) -> list[Node]:
    library = _library()
    result = library.pg_query_parse_plpgsql(text)
    try:
        _check(result.error, text)
        found: list[Node] = _decoded(_EMPTY_DATUM.sub(b"{}", result.tree))
    except RecursionError:
        raise SyntaxProblem("the body is nested too deeply to be read", None) from None
    finally:
        library.pg_query_free_plpgsql_parse_result(result)
    return found


def _check(error: Any, text: bytes) -> None:
    if error:
        found = error.contents
        message = (found.message or b"unknown error").decode("utf-8", "replace")
        raise SyntaxProblem(message, _offset(text, found.cursorpos))


def _offset(text: bytes, cursor: int) -> int | None:
    """Byte offset of the parser's cursor, which counts characters from 1 and is 0 when unknown."""
    if cursor <= 0:
        return None
    if text.isascii():
        return cursor - 1
    return len(text.decode("utf-8", "replace")[: cursor - 1].encode())
