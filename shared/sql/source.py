"""The text of a migration file, and where in it a byte offset is, as people count."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import accumulate, count
from operator import add
from typing import NamedTuple

BYTE_ORDER_MARK = "\ufeff"


class Place(NamedTuple):
    """Line and column in characters, both from 1. A byte order mark does not count."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Source:
    """A file's text without a leading byte order mark; offsets are bytes of its UTF-8."""

    text: str
    data: bytes = field(init=False, repr=False)
    lowered: bytes = field(init=False, repr=False)
    """The same in lower case, for those who look for words in the whole file."""
    plain: bool = field(init=False, repr=False)
    """Every character is one byte."""
    _lines: list[int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        text = self.text.removeprefix(BYTE_ORDER_MARK)
        object.__setattr__(self, "text", text)
        data = text.encode("utf-8", "surrogatepass")
        object.__setattr__(self, "data", data)
        object.__setattr__(self, "lowered", data.lower())
        object.__setattr__(self, "plain", text.isascii())
        lengths = accumulate(map(len, data.split(b"\n")[:-1]))
        object.__setattr__(self, "_lines", [0, *map(add, lengths, count(1))])

    def place(self, offset: int) -> Place:
        """Where a byte offset is; one beyond the end is the end."""
        if not 0 <= offset <= len(self.data):
            offset = min(max(offset, 0), len(self.data))
        line = bisect_right(self._lines, offset)
        start = self._lines[line - 1]
        if self.plain:
            return Place(line, offset - start + 1)
        return Place(line, len(self.data[start:offset].decode("utf-8", "replace")) + 1)

    def cut(self, start: int, length: int) -> tuple[str, int, int]:
        """The text of a part without the blanks behind it; line and column where it begins."""
        line = bisect_right(self._lines, start)
        before = start - self._lines[line - 1]
        if self.plain:
            return self.text[start : start + length].rstrip(), line, before + 1
        if before:
            before = len(self.slice(start - before, before))
        text = self.data[start : start + length].decode("utf-8", "replace")
        return text.rstrip(), line, before + 1

    @property
    def lines(self) -> int:
        return len(self._lines)

    def line(self, number: int) -> str:
        """The text of that line (from 1), without its end."""
        start = self._lines[number - 1]
        end = self._lines[number] - 1 if number < len(self._lines) else len(self.data)
        return self.data[start:end].decode("utf-8", "replace").rstrip("\r")

    def slice(self, start: int, length: int) -> str:
        return self.data[start : start + length].decode("utf-8", "replace")
