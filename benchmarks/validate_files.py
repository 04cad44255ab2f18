"""Two files of 2,000 statements for the validator's bench: the measured cases, and all different.

`repeated` is the cases' own statements over and over: the file that squawk was first measured on.
`varied` is what people wrote, on other tables each time, so that no two statements are the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Any

from shared.sql.parse import read

DATA = Path(__file__).parent.parent / "tests" / "data"
STATEMENTS = 2000

_TABLES = re.compile(
    r"\b(customers|products|orders|order_items|accounts|users|invoices|payments|rates|payers"
    r"|authors|posts|comments|pages|events|readings|ticket|tag|message|User|Tenant)\b"
)
_UNKNOWN_TO_SQUAWK = "SET (fillfactor = 50), RESET"
"""Its own grammar refuses it, and then it runs no rule on the file."""
_LATER = frozenset(
    {"sixth", "seventh", "tenth", "eleventh", "twelfth", "thirteenth", "fourteenth"}
    | {"fifteenth", "sixteenth", "seventeenth", "eighteenth"}
)
"""Sets that came after the bench: its file stays the one whose figures are kept."""
_OPENS_OR_CLOSES = re.compile(r"(BEGIN|START|COMMIT|END|ROLLBACK)\b(?! TO)", re.IGNORECASE)


def rows() -> list[dict[str, Any]]:
    text = (DATA / "validator" / "cases.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def repeated() -> str:
    texts = _statements(row["sql"] for row in rows())
    return _file(texts[i % len(texts)] for i in range(STATEMENTS))


def varied() -> str:
    """Files in turn from the cases and from those written after the rules; each round of them is
    about tables of its own."""
    unseen = [
        line[4:]
        for path in sorted((DATA / "unseen").rglob("*.sql"))
        if not path.name.endswith(".setup.sql") and path.parent.name not in _LATER
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    texts = _statements([*(row["sql"] for row in rows()), *unseen], closed=True)
    texts = [text for text in texts if _UNKNOWN_TO_SQUAWK not in text]
    seen, found = set[str](), list[str]()
    for number in count():
        for text in texts:
            one = _TABLES.sub(rf"\1_{number}" if number else r"\1", text)
            if one not in seen or _OPENS_OR_CLOSES.match(one):
                seen.add(one)
                found.append(one)
        if len(found) >= STATEMENTS:
            return _file(found[:STATEMENTS])
    raise AssertionError("counting has no end")


def _statements(files: Iterable[str], *, closed: bool = False) -> list[str]:
    """`closed`: of the files alone that close each transaction they open."""
    readings = [read(sql) for sql in files]
    return [
        statement.text
        for reading in readings
        if not closed or _balanced([s.text for s in reading.statements])
        for statement in reading.statements
    ]


def _balanced(texts: list[str]) -> bool:
    marks = [m[0].upper() for text in texts if (m := _OPENS_OR_CLOSES.match(text))]
    opens = [mark in ("BEGIN", "START") for mark in marks]
    return opens == [number % 2 == 0 for number in range(len(marks))] and len(marks) % 2 == 0


def _file(texts: Iterable[str]) -> str:
    return ";\n".join(texts) + ";\n"
