"""Where a line of a body stands in the file."""

from __future__ import annotations

import re

from shared.sql.parse import Statement
from shared.sql.source import Place, Source

_BODY = re.compile(rb"\$[A-Za-z0-9_\x80-\xff]*\$|'")


def line_of_body(source: Source, statement: Statement, line: int) -> Place:
    """Where that line of a routine's or DO block's body is in the file."""
    options = statement.node.get("options") or statement.node.get("args") or ()
    for each in options:
        element = each.get("DefElem", {})
        if element.get("defname") == "as":
            at = statement.origin + element.get("location", 0)
            opening = _BODY.search(source.data, at)
            first = source.place(opening.end() if opening else at)
            number = first.line + line - 1
            text = source.line(number) if number <= source.lines else ""
            column = len(text) - len(text.lstrip()) + 1
            return Place(number, column if line > 1 else first.column)
    return statement.place
