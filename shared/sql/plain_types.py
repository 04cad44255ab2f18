"""Types that libpg_query's PL/pgSQL parser cannot look up, taken out of its way.

It reads the types of parameters, results and variables as the server does, but has no catalog: it
knows the types of two schemas, no %TYPE of a parameter, and takes an array of a user's type for
one of records. Nothing but the names of types is changed, and every line stays where it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

REFUSALS = ("Not implemented", "has pseudo-type", "cannot accept type", "cannot return type")
"""Parts of the messages with which it gives up on what a server reads."""
_NAME = rb'(?:"(?:[^"]|"")*"|[^\W\d][\w$]*)'
_TYPE = re.compile(
    rb"((?:" + _NAME + rb"\s*\.\s*)*)(" + _NAME + rb")(\s*%\s*type\b)?(\s*(?:\[|array\b))?",
    re.IGNORECASE,
)
_DECLARED = re.compile(rb"\bdeclare\b(.*?)\bbegin\b", re.IGNORECASE | re.DOTALL)
_TYPED = re.compile(rb";(?:\s|--[^\n]*\n)*" + _NAME + rb"\s+(?:constant\s+)?", re.IGNORECASE)


def with_plain_types(text: bytes, statement: dict[str, Any]) -> bytes:
    """CREATE FUNCTION or DO with types that need no catalog; `statement` is its tree."""
    changes: dict[int, tuple[int, bytes]] = {}
    for at, marked in (*_signature(statement), *_variables(text, _body(statement))):
        found = _TYPE.match(text, at)
        if found is not None:
            name = found[2]
            if found[4] or (found[3] and marked):
                name = b"text"
            end = found.end(3) if found[3] and marked else found.end(2)
            if name != text[at:end]:
                changes[at] = (end, name + b"\n" * text.count(b"\n", at, end))
    made, last = [], 0
    for at, (end, name) in sorted(changes.items()):
        made += [text[last:at], name]
        last = end
    return b"".join([*made, text[last:]])


def _signature(statement: dict[str, Any]) -> Iterator[tuple[int, bool]]:
    """Where the types of a routine's parameters and of its result stand, and whether their %TYPE
    has to go: in a declaration it is understood."""
    node = statement.get("CreateFunctionStmt", {})
    types = [each["FunctionParameter"]["argType"] for each in node.get("parameters", ())]
    for each in [*types, *([node["returnType"]] if "returnType" in node else [])]:
        if each.get("location", -1) > 0 and "pg_catalog" not in str(each["names"][0]):
            yield each["location"], True


def _variables(text: bytes, start: int) -> Iterator[tuple[int, bool]]:
    for section in _DECLARED.finditer(text, start):
        for found in _TYPED.finditer(b";" + section[1]):
            yield section.start(1) - 1 + found.end(), False


def _body(statement: dict[str, Any]) -> int:
    """Byte offset of the text that holds the body."""
    for node in statement.values():
        for each in (*node.get("options", ()), *node.get("args", ())):
            if each.get("DefElem", {}).get("defname") == "as":
                return int(each["DefElem"].get("location", 0))
    return 0
