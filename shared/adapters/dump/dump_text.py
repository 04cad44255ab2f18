"""Read what pg_dump writes while it passes: rows of each table, and a digest of the definitions.

Pure. Source: PostgreSQL manual, "COPY", text format: one line is one row (a line feed inside a
value is escaped), and a line of `\\.` ends the data.
"""

from __future__ import annotations

import hashlib
import re

_COPY = re.compile(rb"^COPY (\S.*?) (?:\(.*\) )?FROM stdin;$")
_NOT_A_DEFINITION = (b"--", b"SET ", b"\\restrict ", b"\\unrestrict ", b"SELECT pg_catalog.set_con")
_END = b"\\.\n"


class CopyRows:
    """Counts the rows of each COPY in a data dump that is fed in pieces of any size."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        """By table, as the dump names it: qualified and quoted."""
        self._rest = b""
        self._table: str | None = None

    def feed(self, chunk: bytes) -> None:
        data = self._rest + chunk
        position = 0
        while position < len(data):
            behind = (
                self._sql(data, position) if self._table is None else self._copy(data, position)
            )
            if behind is None:
                break
            position = behind
        self._rest = data[position:]

    def _sql(self, data: bytes, start: int) -> int | None:
        end = data.find(b"\n", start)
        if end < 0:
            return None
        found = _COPY.match(data[start:end])
        if found is not None:
            self._table = found[1].decode()
            self.rows.setdefault(self._table, 0)
        return end + 1

    def _copy(self, data: bytes, start: int) -> int | None:
        """Count whole lines from `start`, which is the beginning of a line."""
        assert self._table is not None
        if data.startswith(_END, start):
            self._table = None
            return start + len(_END)
        end = data.find(b"\n" + _END, start)
        if end < 0:
            end = data.rfind(b"\n", start)
        if end < 0:
            return None
        self.rows[self._table] += data.count(b"\n", start, end + 1)
        return end + 1


class DefinitionsDigest:
    """SHA-256 of a schema dump that is equal when the definitions are.

    Comments, blank lines, settings of the dumping session and the random key of `\\restrict`
    do not count: they differ between two dumps of the same database.
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._rest = b""

    def feed(self, chunk: bytes) -> None:
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            if line and not line.startswith(_NOT_A_DEFINITION):
                self._hash.update(line + b"\n")

    def hexdigest(self) -> str:
        return self._hash.hexdigest()
