"""The text of a migration file, and where in it a byte offset is, as people count."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
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
    _lines: list[int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        text = self.text.removeprefix(BYTE_ORDER_MARK)
        object.__setattr__(self, "text", text)
        data = text.encode("utf-8", "surrogatepass")
        object.__setattr__(self, "data", data)
        starts, at = [0], data.find(b"\n")
        while at >= 0:
            starts.append(at + 1)
            at = data.find(b"\n", at + 1)
        object.__setattr__(self, "_lines", starts)

    def place(self, offset: int) -> Place:
        """Where a byte offset is; one beyond the end is the end."""
        offset = min(max(offset, 0), len(self.data))
        line = bisect_right(self._lines, offset)
        start = self._lines[line - 1]
        return Place(line, len(self.data[start:offset].decode("utf-8", "replace")) + 1)

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
