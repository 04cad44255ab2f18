"""Queries out of a `.sql` file: each begins with a line `-- name: what it answers`."""

from __future__ import annotations

import re
from pathlib import Path

_HEAD = re.compile(r"^-- (\w+): .+$", re.MULTILINE)


def named_queries(beside: str, file: str) -> dict[str, str]:
    """The queries of `file` in the directory of the module `beside` (its `__file__`), by name."""
    text = Path(beside).with_name(file).read_text(encoding="utf-8")
    heads = list(_HEAD.finditer(text))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return {
        head[1]: text[head.end() : end].strip().rstrip(";")
        for head, end in zip(heads, ends, strict=True)
    }
