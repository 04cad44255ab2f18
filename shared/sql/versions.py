"""What a statement writes that only newer servers accept, seen in its text or tree.

The grammar is PostgreSQL 18's: on an older server the same text is a syntax error.
Source: release notes of 15 to 18, "Migration" and "Changes"; each checked on 15, 16 and 18.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from shared.sql.context import Context
from shared.sql.expressions import walk
from shared.sql.grammar import Node

NEWEST_GRAMMAR = 18
"""The version whose grammar reads the files: its server accepts all that is read."""
_NEW_NUMBER = re.compile(rb"\d_\d|\b0[xXoObB][0-9a-fA-F]")
_NUMBER = re.compile(rb"[0-9][0-9a-zA-Z_.]*")


def check(ctx: Context, tag: str, node: Node) -> None:
    if ctx.building or ctx.version >= NEWEST_GRAMMAR or ctx.step is None:
        return
    for what, since, at in _found(ctx, tag, node):
        if since > ctx.version:
            ctx.error(
                "version",
                f"{what} came with PostgreSQL {since}; the server is {ctx.version}",
                at=at,
            )


def _found(ctx: Context, tag: str, node: Node) -> Iterator[tuple[str, int, int | None]]:
    if ctx.version < 16:
        yield from _numbers(ctx, tag, node)
    text = ctx.step.statement.text if ctx.step is not None else ""
    if not _INTERESTING.search(text):
        return
    for inner, body in walk({tag: node}):
        if isinstance(body, dict):
            yield from _in_tree(inner, body)


_INTERESTING = re.compile(r"json|returning|merge|on_error|reject_limit|is_local", re.IGNORECASE)
_JSON_16 = frozenset({"JsonArrayConstructor", "JsonObjectConstructor", "JsonIsPredicate"})
_JSON_16_AGGREGATES = frozenset({"JsonArrayAgg", "JsonObjectAgg", "JsonArrayQueryConstructor"})
_JSON_17 = frozenset({"JsonFuncExpr", "JsonTable", "JsonParseExpr", "JsonScalarExpr"})


def _in_tree(tag: str, body: dict[str, Any]) -> Iterator[tuple[str, int, int | None]]:
    if tag in _JSON_16 or tag in _JSON_16_AGGREGATES:
        yield "SQL/JSON constructors and IS JSON", 16, body.get("location")
    elif tag in _JSON_17 or tag == "JsonSerializeExpr":
        yield "SQL/JSON query functions and JSON_TABLE", 17, body.get("location")
    elif tag == "MergeWhenClause" and body.get("matchKind") == "MERGE_WHEN_NOT_MATCHED_BY_SOURCE":
        yield "WHEN NOT MATCHED BY SOURCE", 17, None
    elif tag == "ReturningClause" and body.get("options"):
        yield "RETURNING WITH (OLD AS .., NEW AS ..)", 18, None


def _numbers(ctx: Context, tag: str, node: Node) -> Iterator[tuple[str, int, int | None]]:
    """1_000_000 and 0xFF: on 15 the number ends at the underscore or letter."""
    assert ctx.step is not None
    data = ctx.source.data
    if not _NEW_NUMBER.search(ctx.step.statement.text.encode()):
        return
    for inner, body in walk({tag: node}):
        if inner != "A_Const" or not ("ival" in body or "fval" in body):
            continue
        at = body.get("location", 0)
        match = _NUMBER.match(data, ctx.step.statement.origin + at)
        if match and _NEW_NUMBER.search(match.group()):
            yield "numbers with _ or 0x, 0o, 0b", 16, at
